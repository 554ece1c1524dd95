"""Golden vectors: known inputs with the outputs that a model gave where it was packed, worked out again where it shall run.

A wrong feature module, a wrong interpreter, a wrong CPU path or a wrong model cannot pass them and go on to give
plausible numbers. Inputs are sentences or PCM made by a recipe in whole numbers, so that every machine makes the same.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from edge.errors import Key, ModelError
from edge.values import SAMPLE_RATE, Pcm

# The first inference pays for lazily made tables and caches.
_WARM_UP = 1


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Buzzing syllables in noise, something like a voice: pitch that glides, four syllables a second."""

    seed: int
    seconds: float
    pitch_hz: int
    glide_hz: int = 0
    peak: int = 8000
    noise: int = 200

    def pcm(self) -> Pcm:
        """int16, 1-D, 16 kHz; the same bits on every machine, for there is no floating point in it."""
        return _sound(self)


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One known answer: from `audio` or `text` to `expected`, lists of numbers by name (features, logits, p, ...)."""

    name: str
    audio: Recipe | None = None
    text: str | None = None
    expected: dict[str, list[float]] = msgspec.field(default_factory=dict)


class Golden(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: the cases, and how far each kind of number may be off (absolute)."""

    tolerance: dict[str, float]
    cases: tuple[Case, ...]


Compute = Callable[[Case], Mapping[str, Sequence[float]]]


def speech_cases() -> tuple[Case, ...]:
    """The inputs for a voice model: low and high, rising and falling, short and long, quiet and noisy."""
    return (
        Case(name="low-steady", audio=Recipe(seed=1, seconds=3.0, pitch_hz=110)),
        Case(name="high-rising", audio=Recipe(seed=2, seconds=2.0, pitch_hz=210, glide_hz=120)),
        Case(name="falling-long", audio=Recipe(seed=3, seconds=5.0, pitch_hz=180, glide_hz=-70, peak=16000)),
        Case(name="quiet-noisy", audio=Recipe(seed=4, seconds=1.2, pitch_hz=140, glide_hz=20, peak=1500, noise=300)),
    )


def record(cases: Sequence[Case], compute: Compute, tolerance: Mapping[str, float]) -> Golden:
    """The golden file for what `compute` answers here and now."""
    filled = tuple(msgspec.structs.replace(case, expected={k: [float(x) for x in v] for k, v in compute(case).items()}) for case in cases)
    return Golden(tolerance=dict(tolerance), cases=filled)


def write(path: Path, golden: Golden) -> None:
    """Leave the golden file at `path`."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")


def read(path: Path) -> Golden:
    """The golden file at `path`. Raises ModelError."""
    try:
        golden = msgspec.json.decode(path.read_bytes(), type=Golden)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"not a golden file: {error}", path=path, remedy="pack the bundle again") from error
    if not golden.cases:
        raise ModelError("empty: a model that nothing checks is not taken", path=path, where=Key("cases"), remedy="pack the bundle again")
    return golden


def check(path: Path, compute: Compute, *, budget_ms: float) -> float:
    """Work out every case of the golden file at `path` again and compare; return the median that an answer took of the processor, ms.

    Raises ModelError naming the case, the number and the tolerance, or the time and its budget.
    """
    golden = read(path)
    taken = []
    for number, case in enumerate((*golden.cases[:_WARM_UP], *golden.cases)):
        # Processor time: a box that is busy with a call does not make a model slow, and must not refuse to start with its own.
        began = time.thread_time()
        found = compute(case)
        if number >= _WARM_UP:
            taken.append((time.thread_time() - began) * 1000.0)
        _compare(path, case, found, golden.tolerance)
    median_ms = sorted(taken)[len(taken) // 2]
    if median_ms > budget_ms:
        raise ModelError(
            f"too slow for this box: {median_ms:.0f} ms, {budget_ms:.0f} ms are allowed",
            path=path.parent,
            remedy="take a smaller model",
        )
    return median_ms


def _compare(path: Path, case: Case, found: Mapping[str, Sequence[float]], tolerance: Mapping[str, float]) -> None:
    """Raise unless `found` is what the case expects, each number within its tolerance; a NaN is never within."""
    for name, expected in case.expected.items():
        allowed = tolerance.get(name)
        got = found.get(name)
        if allowed is None or got is None or len(got) != len(expected):
            raise ModelError(
                f"'{name}' has no {len(expected)} numbers, or no tolerance", path=path, where=f"case '{case.name}'", remedy="pack it again"
            )
        off = max((abs(a - b) if math.isfinite(a - b) else math.inf for a, b in zip(got, expected, strict=True)), default=0.0)
        if off > allowed:
            raise ModelError(
                f"'{name}' is off by {off:.4g} where {allowed:.4g} is allowed: this model does not give its own known answers here",
                path=path,
                where=f"case '{case.name}'",
                remedy="do not use it, bring another",
            )


@cache
def _sound(recipe: Recipe) -> Pcm:
    """The recipe carried out, once: the time it takes is no inference's."""
    n = int(recipe.seconds * SAMPLE_RATE)
    at = np.arange(n, dtype=np.int64)
    # A sawtooth has every harmonic, as the glottis does; its phase is the sum of the gliding pitch, in 1/65536 turns.
    pitch = recipe.pitch_hz * 65536 + recipe.glide_hz * 65536 * at // max(n, 1)
    saw = (np.cumsum(pitch // SAMPLE_RATE) & 0xFFFF) - 32768
    quarter, half = at % (SAMPLE_RATE // 4), SAMPLE_RATE // 8
    envelope = np.minimum(quarter, 2 * half - quarter)
    voiced = saw * envelope // half * recipe.peak // 32768
    sound: Pcm = np.clip(voiced + _noise(n, recipe.seed, recipe.noise), -32768, 32767).astype(np.int16)
    sound.flags.writeable = False
    return sound


def _noise(n: int, seed: int, peak: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """White noise, int64 (n,), -peak..peak: the upper half of a linear congruential generator (Numerical Recipes, 32 bit)."""
    # state[k] = a^k seed + c (1 + a + ... + a^(k-1)), all modulo 2^32, as unsigned integers wrap.
    powers = np.cumprod(np.full(n, 1664525, np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.concatenate([np.ones(1, np.uint32), powers[:-1]]), dtype=np.uint32)
    states = powers * np.uint32(seed) + sums * np.uint32(1013904223)
    noise: np.ndarray[tuple[int], np.dtype[np.int64]] = (states >> np.uint32(16)).astype(np.int64) * (2 * peak + 1) // 65536 - peak
    return noise
