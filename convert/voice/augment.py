"""Random training windows from spectrograms: which clips, which copy, which cut, and what is bent or hidden in it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.sound.dataset import Prepared
from edge.signal.features import LEVEL, PITCH, Features, active_frames, level
from edge.signal.spec import SPEC
from edge.voice.labels import LABELS

Rng = np.random.Generator
# How often each corpus is drawn: by speakers and languages rather than by clips, for TESS is 2,800 clips of two voices.
SHARES: Mapping[str, float] = {
    "ravdess": 0.36, "nemo": 0.27, "ased": 0.23, "tess": 0.14, "emovo": 0.27, "turev": 0.18, "savee": 0.18, "calls": 0.18, "csv": 0.3,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Windows float32 (n, 150, 40, 2) in -1..1, and soft labels float32 (n, 7)."""

    features: Features
    targets: NDArray[np.float32]


class Sampler:
    """Draws training windows, corpora by SHARES and classes evenly within each."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._names = list(prepared.copies)
        self._groups: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, clip in enumerate(prepared.clips):
            self._groups[clip.corpus][LABELS.index(clip.label)].append(index)
        self._corpora = list(self._groups)
        shares = np.asarray([SHARES[corpus] for corpus in self._corpora])
        self._shares = shares / shares.sum()
        self._active = {name: [active_frames(s[..., LEVEL]) for s in made] for name, made in prepared.copies.items()}

    def epoch(self, size: int, rng: Rng) -> Batch:
        """`size` windows; the same for the same state of `rng`."""
        features = np.empty((size, SPEC.frames, SPEC.bands, SPEC.planes), np.float32)
        targets = np.zeros((size, len(LABELS)), np.float32)
        for place in range(size):
            corpus = self._corpora[rng.choice(len(self._corpora), p=self._shares)]
            labels = list(self._groups[corpus])
            label = labels[rng.integers(len(labels))]
            members = self._groups[corpus][label]
            features[place] = self._window(members[rng.integers(len(members))], rng)
            targets[place, label] = 1.0
        return _mixed(Batch(features=features, targets=targets), rng)

    def representative(self, size: int, rng: Rng) -> Features:
        """Windows to set the ranges of int8 by: as training draws them, not mixed."""
        return np.stack([self._window(int(rng.integers(len(self._prepared.clips))), rng) for _ in range(size)])

    def _window(self, index: int, rng: Rng) -> Features:
        # Half of the windows undisturbed: with nothing but disturbed ones a net of this size learnt little (measured).
        plain = rng.random() < 0.5  # noqa: PLR2004
        names = [name for name in self._names if name.startswith("call") is not plain] or self._names
        name = names[rng.integers(len(names))]
        spectrum = self._prepared.copies[name][index].astype(np.float32)
        return augmented(spectrum, self._active[name][index], rng)


def augmented(spectrum: Features, active: NDArray[np.bool_], rng: Rng) -> Features:
    """One window of `spectrum` (frames, bands, planes): randomly cut, warped in time and frequency, tilted, levelled, masked."""
    spoken = np.flatnonzero(active)
    first = max(0, int(spoken[0]) - int(rng.integers(2, 12)))
    last = min(len(spectrum), int(spoken[-1]) + int(rng.integers(3, 14)))
    if last - first > 60 and rng.random() < 0.25:  # noqa: PLR2004 (1.2 s: shorter ones stay whole)
        # What a customer says may be much shorter than a corpus's sentence.
        length = int(rng.integers(40, last - first))
        first += int(rng.integers(0, last - first - length + 1))
        last = first + length
    speed = float(np.exp(rng.normal(0, 0.1)))
    length = max(10, round((last - first) / speed))
    at = np.minimum(first + (np.arange(length) * speed).astype(np.int64), last - 1)
    start = int(rng.integers(0, max(1, length - SPEC.frames + 1)))
    # Short ones are repeated, as on the box, but from anywhere.
    turn = int(rng.integers(length)) if length < SPEC.frames and rng.random() < 0.5 else 0  # noqa: PLR2004
    at = at[(np.arange(start, start + SPEC.frames) + turn) % length]
    piece, speech = spectrum[at], active[at]
    # Vocal tracts differ a little in length, voices by semitones in pitch (a row is 0.8 of one).
    piece[..., LEVEL] = _shifted(piece[..., LEVEL], float(np.exp(rng.normal(0, 0.03))), float(rng.normal(0, 0.5))) + _tilt(rng)
    piece[..., PITCH] = _shifted(piece[..., PITCH], 1.0, float(rng.normal(0, 2.0)))
    if rng.random() < 0.1:  # noqa: PLR2004 (whispers and din have no pitch)
        piece[..., PITCH] = 0.0
    return _masked(level(piece, speech), rng)


def _shifted(plane: Features, stretch: float, shift: float) -> Features:
    """The rows of `plane` (frames, bands) stretched and shifted along the bands."""
    source = np.clip(np.arange(SPEC.bands) * stretch + shift, 0, SPEC.bands - 1.001)
    low = source.astype(np.int64)
    part = (source - low).astype(np.float32)
    return np.asarray(plane[:, low] * (1 - part) + plane[:, low + 1] * part, np.float32)


def _tilt(rng: Rng) -> Features:
    """A channel's smooth frequency response, in dB: five points of it, and a slope from one end of the band to the other."""
    points = rng.normal(0, 2.5, 5) + np.linspace(-1, 1, 5) * rng.normal(0, 2.5)
    return np.interp(np.linspace(0, 4, SPEC.bands), np.arange(5), points).astype(np.float32)


def _masked(window: Features, rng: Rng) -> Features:
    """Stretches of time and of bands hidden (SpecAugment, Park et al. 2019)."""
    mean = float(window[..., LEVEL].mean())
    for plane, nothing in ((LEVEL, mean), (PITCH, 0.0)):
        width, start = int(rng.integers(0, 20)), int(rng.integers(0, SPEC.frames))
        window[start : start + width, :, plane] = nothing
    width, start = int(rng.integers(0, 6)), int(rng.integers(0, SPEC.bands))
    window[:, start : start + width, LEVEL] = mean
    return window


def _mixed(batch: Batch, rng: Rng) -> Batch:
    """A fifth of the windows mixed with another one, labels in proportion (mixup, Zhang et al. 2018)."""
    size = len(batch.features)
    share = np.where(rng.random(size) < 0.2, rng.beta(0.4, 0.4, size), 1.0).astype(np.float32)  # noqa: PLR2004
    share = np.maximum(share, 1 - share)
    other = rng.permutation(size)
    kept, added = share[:, None], 1 - share[:, None]
    return Batch(
        features=kept[..., None, None] * batch.features + added[..., None, None] * batch.features[other],
        targets=kept * batch.targets + added * batch.targets[other],
    )
