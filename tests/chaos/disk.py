"""The disk under the outbox: full, its file truncated, zeroed, deleted, made read-only, under a running box and one that is off."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.outbox.outbox import Outbox
from tests.broker import Broker
from tests.chaos.links import publishing
from tests.chaos.table import Row, Scale
from tests.telling import Subscriber, consumer, open_outbox, text, until

_PATIENCE_S = 60.0
_SMALL = "size=12m"


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """A small file system of its own where root may mount one, then the file's misfortunes."""
    if os.geteuid():
        yield Row(fault="disk full", done="", result="needs root, to mount a small file system", good=None)
    else:
        yield _full(folder / "full", scale.of(1500, 300), "fewer than memory holds", lose=False)
        yield _full(folder / "overfull", 4000, "more than memory holds", lose=True)
    for name, harm in (("truncated", _truncate), ("zeroed", _zero)):
        yield _running(folder / f"running-{name}", name, harm)
        yield _off(folder / f"off-{name}", name, harm)
    yield _gone(folder / "gone", "outbox file", "outbox.sqlite")
    yield _gone(folder / "log-gone", "log of the outbox file", "outbox.sqlite-wal")
    yield _read_only(folder / "read-only")


@contextmanager
def small_disk(folder: Path, size: str = _SMALL) -> Iterator[Path]:
    """A file system of its own at `folder`, so large and no larger. Skips the test where none can be mounted."""
    folder.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: where something failed, the outbox may still be open.
        subprocess.run(["umount", "--lazy", folder], check=True)


def _full(folder: Path, events: int, what: str, *, lose: bool) -> Row:
    with small_disk(folder / "disk") as disk, Broker(folder) as broker, Subscriber(broker.url) as subscriber:
        outbox = open_outbox(disk)
        outbox.put([text(0)])
        ballast = disk / "ballast"
        reason = fill(ballast)
        for n in range(1, events):
            outbox.put([text(n)])
        held = outbox.counts().held
        ballast.unlink()
        freed = time.monotonic()
        with publishing(outbox, broker.url):
            until(lambda: outbox.counts().held == 0, _PATIENCE_S)
            outbox.put([text(events)])
            until(lambda: outbox.counts().rows == 0 and _has(subscriber, events), _PATIENCE_S)
        well = time.monotonic() - freed
        outbox.close()
    lost, unexplained = _lost(subscriber, events + 1)
    told = f"{lost} lost, announced by their numbers" if lose else f"{lost} lost"
    return Row(
        fault=f"disk full ({reason}), {what} come meanwhile",
        done=f"a file system of 12 MB filled up; {events:,} events, {held:,} of them held in memory",
        result=f"{told}; {unexplained} ranges unexplained",
        good=held > 0 and not unexplained and (lost > 0) == lose,
        well_again_s=well,
    )


def fill(ballast: Path) -> str:
    """Write until the disk takes no more; what it says then."""
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, bytes(4096))
    except OSError as full:
        return full.strerror
    finally:
        os.close(file)


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _zero(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(bytes(size))


def _running(folder: Path, name: str, harm: Callable[[Path], None]) -> Row:
    with Broker(folder) as broker, Subscriber(broker.url) as subscriber:
        outbox = open_outbox(folder)
        outbox.put([text(n) for n in range(300)])
        harm(folder / "outbox.sqlite")
        harmed = time.monotonic()
        outbox.put([text(n) for n in range(300, 400)])
        well = _until_told(outbox, broker, subscriber, 400, harmed)
        outbox.close()
    return _row(folder, f"outbox file {name} under the running box", subscriber, 401, well)


def _off(folder: Path, name: str, harm: Callable[[Path], None]) -> Row:
    with Broker(folder) as broker, Subscriber(broker.url) as subscriber:
        outbox = open_outbox(folder)
        outbox.put([text(n) for n in range(300)])
        outbox.close()
        harm(folder / "outbox.sqlite")
        harmed = time.monotonic()
        outbox = open_outbox(folder)
        outbox.put([text(n) for n in range(300, 400)])
        well = _until_told(outbox, broker, subscriber, 400, harmed)
        outbox.close()
    return _row(folder, f"outbox file {name} while the box is off", subscriber, 401, well)


def _gone(folder: Path, what: str, name: str) -> Row:
    """What a power cut leaves, without one of its files."""
    with Broker(folder) as broker, Subscriber(broker.url) as subscriber:
        (folder / "box").mkdir()
        before = open_outbox(folder / "box")
        before.put([text(n) for n in range(300)])
        shutil.copytree(folder / "box", folder / "cut")
        before.close()
        (folder / "cut" / name).unlink()
        harmed = time.monotonic()
        outbox = open_outbox(folder / "cut")
        outbox.put([text(n) for n in range(300, 400)])
        well = _until_told(outbox, broker, subscriber, 400, harmed)
        outbox.close()
    lost, unexplained = _lost(subscriber, 401)
    reasons = sorted({event["data"]["reason"] for event in subscriber.events("device.gap")})
    return Row(
        fault=f"{what} deleted while the box is off, after a power cut",
        done="300 events waiting in it, 100 more afterwards",
        result=f"announced (`gap`, {', '.join(reasons)}); {lost} lost, {unexplained} ranges unexplained; no crash",
        good=bool(reasons) and not unexplained,
        well_again_s=well,
    )


def _read_only(folder: Path) -> Row:
    """A box without the right of root to write all the same."""
    with Broker(folder) as broker, Subscriber(broker.url) as subscriber:
        outbox = open_outbox(folder)
        outbox.put([text(n, line="line-3") for n in range(300)])
        outbox.close()
        (folder / "outbox.sqlite").chmod(0o400)
        harmed = time.monotonic()
        weak = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
        if weak and shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed: root can write everything")
        subprocess.run(
            [*weak, sys.executable, "-m", "tests.box", str(folder), broker.url, "1", "100"], stdout=subprocess.DEVNULL, check=True
        )
        until(lambda: len(subscriber.events("call.text")) >= 100, _PATIENCE_S)
        well = time.monotonic() - harmed
    return _row(folder, "outbox file made read-only", subscriber, 400, well)


def _until_told(outbox: Outbox, broker: Broker, subscriber: Subscriber, n: int, harmed: float) -> float:
    with publishing(outbox, broker.url):
        until(lambda: subscriber.events("device.gap") or _has(subscriber, n - 1), _PATIENCE_S)
        well = time.monotonic() - harmed
        outbox.put([text(n)])
        until(lambda: outbox.counts().rows == 0 and _has(subscriber, n), _PATIENCE_S)
    return well


def _has(subscriber: Subscriber, n: int) -> bool:
    return any(event["data"]["n"] == n for event in subscriber.events("call.text"))


def _lost(subscriber: Subscriber, events: int) -> tuple[int, int]:
    """How many of so many never came, and how many ranges of numbers nobody explained."""
    prove = consumer()(since=0)
    for topic, event, _ in list(subscriber.messages):
        prove.take(topic, event)
    return events - len({event["id"] for event in subscriber.events("call.text")}), sum(map(len, prove.missing().values()))


def _row(folder: Path, fault: str, subscriber: Subscriber, events: int, well: float) -> Row:
    lost, unexplained = _lost(subscriber, events)
    announced = [event["data"]["reason"] for event in subscriber.events("device.gap") if event["data"]["topic"] == "*"]
    aside = (folder / "outbox.sqlite.damaged").exists()
    how = "set aside and announced (`gap`, store_damaged)" if announced else "went on as it was"
    return Row(
        fault=fault,
        done="300 events waiting in it, 100 more afterwards",
        result=f"{how}; {lost} lost, {unexplained} ranges unexplained; no crash",
        good=not unexplained and bool(announced) == aside and (bool(announced) or not lost),
        well_again_s=well,
    )
