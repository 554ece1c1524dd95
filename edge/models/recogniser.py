"""The speech recogniser's model: loaded, and a new one proven in a process of its own, for Kaldi ends the process on a file it dislikes.

`python -m edge.models.recogniser FOLDER` is that process. It prints why not as JSON and ends with 1, or nothing and 0.
"""

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.asr.vosk_model import MODEL_NAME, PINS, check_any, configured, find_vosk, language_of
from edge.bundle import golden
from edge.bundle.manifest import MANIFEST, SIGNATURE, Bundle, parse
from edge.bundle.signature import Trust, trust_of, verify
from edge.config import Config
from edge.errors import ModelError, Problem
from edge.values import SAMPLE_RATE, Mode
from edge.wire.device import ModelInfo

if TYPE_CHECKING:
    from edge.asr.recogniser import Engine

# A box of 2 GB hears two lines with it; the shipped one takes 250 MB.
_MEMORY_MB = 1000.0
# The golden cases have 3 s of sound in the middle: slower than they are spoken is behind for ever. A Pi 4 takes a third of it.
_BUDGET_MS = 3000.0
# Loading 71 MB from a slow card, and 11 s of sound.
_PATIENCE_S = 180.0
# Blocks as a line hands them over.
_BLOCK = SAMPLE_RATE // 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRecogniser:
    """A speech recogniser, what it writes (ISO 639), and its bundle, or what is known of it without one."""

    engine: "Engine"
    language: str
    model: Bundle | ModelInfo


def load_recogniser(config: Config) -> LoadedRecogniser | None:
    """The box's speech recogniser, where this mode needs one and the box has one.

    Raises ModelError for one that is damaged, or missing where nothing else could judge.
    """
    mode = Mode(config.mode)
    folder = None if mode is Mode.VOICE else find_vosk(config)
    if folder is not None:
        return _loaded(folder, config)
    if mode is Mode.WORDS:
        raise ModelError("mode 'words' needs a speech recogniser and there is none", remedy="run `undertone fetch-model`")
    return None


def load_line_recognisers(config: Config) -> dict[str, LoadedRecogniser]:
    """The lines' own speech recognisers (`lines[].models.vosk`), by line; one that several lines name is loaded once. Raises ModelError."""
    folders: dict[Path, LoadedRecogniser] = {}
    own = {}
    for number, line in enumerate(config.lines):
        if line.models.vosk is None or Mode(config.mode) is Mode.VOICE:
            continue
        folder = configured(line.models.vosk, f"lines[{number}].models.vosk")
        if folder not in folders:
            folders[folder] = _loaded(folder, config)
        own[line.name] = folders[folder]
    return own


def _loaded(folder: Path, config: Config) -> LoadedRecogniser:
    from edge.asr.recogniser import Engine

    model = _described(folder, trust_of(config))
    language = model.manifest.language if isinstance(model, Bundle) else language_of(folder)
    return LoadedRecogniser(engine=Engine(folder), language=language, model=model)


def _described(folder: Path, trust: Trust) -> Bundle | ModelInfo:
    """A bundle, else named by its acoustic model's hash, whatever its folder is called."""
    if (folder / MANIFEST).is_file():
        raw = (folder / MANIFEST).read_bytes()
        # One that the configuration names may be anybody's.
        signed_by = verify(raw, folder / SIGNATURE, replace(trust, allow_unsigned=True))
        return Bundle(folder=folder, manifest=parse(raw, folder / MANIFEST), sha256=hashlib.sha256(raw).hexdigest(), signed_by=signed_by)
    acoustic = hashlib.sha256((folder / "am" / "final.mdl").read_bytes()).hexdigest()
    known = acoustic == PINS["am/final.mdl"].sha256
    name, _, version = MODEL_NAME.rpartition("-") if known else (folder.name, "", "")
    licence = "Apache-2.0" if known else "unknown"
    return ModelInfo(name=name, version=version, sha256=acoustic, licence=licence, signed_by=None, validated_on_calls=False)


def prove_recogniser(folder: Path) -> None:
    """Check the Vosk model in `folder`, load it and decode its golden sound, apart from this process. Raises ModelError."""
    check_any(folder)
    command = [sys.executable, "-m", "edge.models.recogniser", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        slow = f"too slow for this box: no answer within {_PATIENCE_S:.0f} s"
        raise ModelError(slow, path=folder, remedy="take a smaller model") from error
    if done.returncode == 0:
        return
    if done.returncode == 1 and done.stdout:
        raise ModelError.of(Problem.from_json(done.stdout.splitlines()[-1]))
    died = f"the recogniser died on it (exit {done.returncode})"
    raise ModelError(died, path=folder, remedy="bring the bundle again, or take another model")


def answers(folder: Path) -> golden.Compute:
    """What the recogniser in `folder` makes of a case: how many words, and seconds of them. Raises ModelError."""
    from edge.asr.recogniser import Engine

    engine = Engine(folder)

    def compute(case: golden.Case) -> Mapping[str, Sequence[float]]:
        channel = engine.channel()
        pcm = case.audio.pcm() if case.audio else golden.speech_cases()[0].audio.pcm()  # type: ignore[union-attr]
        for start in range(0, len(pcm), _BLOCK):
            channel.accept(start, pcm[start : start + _BLOCK])
        words = channel.finish()
        return {"words": [float(len(words))], "seconds": [sum(word.end - word.start for word in words) / SAMPLE_RATE]}

    return compute


def _prove(folder: Path) -> None:
    compute = answers(folder)
    manifest = parse((folder / MANIFEST).read_bytes(), folder / MANIFEST)
    if manifest.golden is not None:
        golden.check(folder / manifest.golden, compute, budget_ms=_BUDGET_MS)
    used = _most_memory_mb()
    if used > _MEMORY_MB:
        much = f"too large for this box: {used:.0f} MB of memory, {_MEMORY_MB:.0f} MB are allowed"
        raise ModelError(much, path=folder, remedy="take a smaller model")


def _most_memory_mb() -> float:
    """The most that this process has held. Not getrusage's figure: that one begins with what the parent held when it started this one."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> int:
    """See above."""
    try:
        _prove(Path(sys.argv[1]))
    except ModelError as error:
        print(error.problem.as_json())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
