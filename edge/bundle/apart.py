"""A speech recogniser proven in a process of its own: Kaldi ends the whole process on a file that it does not like.

`python -m edge.bundle.apart FOLDER` is that process. It prints one line of why not and ends with 1, or nothing and 0.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.bundle import golden
from edge.bundle.manifest import MANIFEST, parse
from edge.errors import ModelError
from edge.values import SAMPLE_RATE

# A box of 2 GB hears two lines with it; the shipped one takes 250 MB.
_MEMORY_MB = 1000.0
# The golden cases have 3 s of sound in the middle: slower than they are spoken is behind for ever. A Pi 4 takes a third of it.
_BUDGET_MS = 3000.0
# Loading 71 MB from a slow card, and 11 s of sound.
_PATIENCE_S = 180.0
# Blocks as a line hands them over.
_BLOCK = SAMPLE_RATE // 50


def prove_recogniser(folder: Path) -> None:
    """Load the Vosk model in `folder` and decode its golden sound, apart from this process. Raises ModelError."""
    command = [sys.executable, "-m", "edge.bundle.apart", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{folder}: too slow for this box: no answer within {_PATIENCE_S:.0f} s; take a smaller model") from error
    if done.returncode == 0:
        return
    said = done.stdout.strip().splitlines()
    if done.returncode == 1 and said:
        raise ModelError(said[-1])
    raise ModelError(f"{folder}: the recogniser died on it (exit {done.returncode}); bring the bundle again, or take another model")


def answers(folder: Path) -> golden.Compute:
    """What the recogniser in `folder` makes of a case: how many words, and seconds of them. Raises ModelError."""
    from edge.words.recogniser import Engine

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
        raise ModelError(
            f"{folder}: too large for this box: {used:.0f} MB of memory, {_MEMORY_MB:.0f} MB are allowed; take a smaller model"
        )


def _most_memory_mb() -> float:
    """The most that this process has held. Not getrusage's figure: that one begins with what the parent held when it started this one."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> int:
    """See above."""
    try:
        _prove(Path(sys.argv[1]))
    except ModelError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
