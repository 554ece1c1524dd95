"""Clips through the path that ships: PCM -> edge.voice -> calibrated reading. No figure of ours comes from anywhere else."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from convert import metrics
from convert.metrics import Floats, Ints
from convert.sound import degrade
from convert.sound.corpora import Clip
from convert.sound.dataset import load_pcm
from edge.errors import SourceError
from edge.signal.features import Features, Windows, spectrogram, windows
from edge.values import Absent, Emotion, Pcm
from edge.voice.calibration import Calibration, calibrated, softmax
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel, with_prosody
from edge.voice.labels import LABELS, NEGATIVE, POSITIVE

Change = Callable[[Pcm, np.random.Generator], Pcm]
FloatNet = Callable[[Features], NDArray[np.float32]]
POLARITIES = ("negative", "neutral", "positive")
# Clips whose windows go through the float net together: Keras takes a tenth of a second a call, whatever it is given.
_AT_ONCE = 256
_POLARITY = np.asarray([0 if label in NEGATIVE else 2 if label in POSITIVE else 1 for label in LABELS], np.int64)


def _noisy(snr_db: float) -> Change:
    """Pink noise, like a room's and a street's, under the speech before it enters the line."""
    return lambda pcm, rng: degrade.g711(degrade.with_noise(pcm, degrade.coloured_noise(len(pcm), 1.0, rng), snr_db))


# How a clip reaches the box. "phone" is G.711 mu-law, 300-3400 Hz; the noisy ones are on a phone too.
CONDITIONS: Mapping[str, Change] = {
    "wideband": lambda pcm, _: pcm,
    "phone": lambda pcm, _: degrade.g711(pcm),
    "phone, 20 dB SNR": _noisy(20.0),
    "phone, 10 dB SNR": _noisy(10.0),
    "phone, 5 dB SNR": _noisy(5.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What was said of n clips; row i of everything is one clip. `float_logits` where a float net was given.

    `reasons` holds why a clip was not judged, None where it was; rows of clips that were not judged are zero.
    """

    truth: Ints
    speakers: tuple[str, ...]
    probs: Floats
    polarity: Floats
    quality: Floats
    float_logits: Floats | None
    reasons: tuple[str | None, ...]

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which clips were judged."""
        return np.asarray([reason is None for reason in self.reasons], np.bool_)


def score(
    model: EmotionModel,
    clips: Sequence[Clip],
    condition: str,
    *,
    title: str,
    float_net: Callable[[Features], NDArray[np.float32]] | None = None,
) -> Scored:
    """Every clip through `model` in one of CONDITIONS; through `float_net` (windows (n, 150, 40, 2) -> logits) as well, if given.

    The noise of a clip is the same in every run. A clip that cannot be read counts as not judged ("unreadable").
    """
    change = CONDITIONS[condition]
    n = len(clips)
    probs, polarity, quality = np.zeros((n, len(LABELS))), np.zeros((n, len(POLARITIES))), np.zeros(n)
    floats = np.zeros((n, len(LABELS))) if float_net else None
    reasons: list[str | None] = []
    waiting: list[tuple[int, Windows, Floats]] = []
    for row, clip in enumerate(tqdm(clips, desc=title, unit="clip", leave=False, disable=None)):
        try:
            pcm = change(load_pcm(clip), np.random.default_rng([7, row]))
        except SourceError:
            reasons.append("unreadable")
            continue
        reading = model.read(whole_clip(pcm))
        if isinstance(reading, Absent):
            reasons.append(reading.reason)
            continue
        reasons.append(None)
        probs[row] = [reading.probs[emotion] for emotion in Emotion]
        polarity[row] = (reading.p_negative, reading.p_neutral, reading.p_positive)
        quality[row] = reading.evidence.quality
        if floats is not None and float_net is not None:
            spectrum = spectrogram(pcm)
            waiting.append((row, windows(spectrum), with_prosody(np.zeros(len(LABELS)), spectrum, model.prosody)))
            if len(waiting) == _AT_ONCE:
                _fill(floats, waiting, float_net)
                waiting.clear()
    if floats is not None and float_net is not None:
        _fill(floats, waiting, float_net)
    return Scored(
        truth=np.asarray([LABELS.index(clip.label) for clip in clips], np.int64),
        speakers=tuple(clip.speaker for clip in clips),
        probs=probs,
        polarity=polarity,
        quality=quality,
        float_logits=floats,
        reasons=tuple(reasons),
    )


def _fill(floats: Floats, waiting: Sequence[tuple[int, Windows, Floats]], float_net: FloatNet) -> None:
    """The float net's logits of the clips that wait, averaged over windows by their speech, and what prosody adds."""
    if not waiting:
        return
    logits = float_net(np.concatenate([cut.features for _, cut, _ in waiting])).astype(np.float64)
    ends = np.cumsum([len(cut.active) for _, cut, _ in waiting])[:-1]
    for (row, cut, added), own in zip(waiting, np.split(logits, ends), strict=True):
        floats[row] = np.average(own, axis=0, weights=np.maximum(cut.active, 1)) + added


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval, null where it cannot be had."""

    value: float | None
    low: float | None
    high: float | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one net did on one set of clips in one condition. Probabilities and rates are 0..1; lists are for the plots."""

    clips: int
    speakers: int
    coverage: float
    not_judged: dict[str, int]
    accuracy: float
    uar: Range
    negative_auc: Range
    polarity_uar: Range
    recall: dict[str, float]
    polarity_recall: dict[str, float]
    ece_before: float
    ece_after: float
    labels: tuple[str, ...]
    confusion: list[list[int]]
    reliability_before: list[tuple[float, float, int]]
    reliability_after: list[tuple[float, float, int]]
    risk_coverage: list[tuple[float, float]]


def with_float(scored: Scored, calibration: Calibration) -> Scored:
    """The same clips as the float net judges them, through the same averaging and calibration."""
    logits = scored.float_logits
    assert logits is not None  # noqa: S101 (asked for by the caller)
    read = [calibrated(row, calibration) for row in logits]
    return Scored(
        truth=scored.truth,
        speakers=scored.speakers,
        probs=np.stack([r.probs for r in read]),
        polarity=np.asarray([(r.p_negative, r.p_neutral, r.p_positive) for r in read]),
        quality=scored.quality,
        float_logits=logits,
        reasons=scored.reasons,
    )


def figures(scored: Scored, temperature: float) -> Figures:
    """Everything that is said of `scored`. `temperature` is the calibration's, so that ECE before it can be told too."""
    kept = np.flatnonzero(scored.answered)
    truth, probs, polarity = scored.truth[kept], scored.probs[kept], scored.polarity[kept]
    speakers = [scored.speakers[i] for i in kept]
    guess, classes = probs.argmax(axis=1), len(LABELS)
    truth3, guess3 = _POLARITY[truth], polarity.argmax(axis=1)
    negative = truth3 == 0
    # softmax(logits) from softmax(logits / T): raise to the power T and divide by the sum.
    raw = softmax(np.log(np.maximum(probs, 1e-12)) * temperature)
    before = raw[:, _POLARITY == 0].sum(axis=1)
    after = polarity[:, 0]
    answered = polarity.max(axis=1) * scored.quality[kept]
    present = [k for k in range(classes) if (truth == k).any()]
    recall = metrics.recalls(truth, guess, classes)
    recall3 = metrics.recalls(truth3, guess3, len(POLARITIES))
    return Figures(
        clips=len(scored.truth),
        speakers=len(set(scored.speakers)),
        coverage=len(kept) / max(1, len(scored.truth)),
        not_judged=dict(Counter(reason for reason in scored.reasons if reason)),
        accuracy=float((guess == truth).mean()) if len(kept) else 0.0,
        uar=_range(lambda rows: metrics.uar(truth[rows], guess[rows], classes), speakers),
        negative_auc=_range(lambda rows: metrics.auc(after[rows], negative[rows]), speakers),
        polarity_uar=_range(lambda rows: metrics.uar(truth3[rows], guess3[rows], len(POLARITIES)), speakers),
        recall={LABELS[k]: float(recall[k]) for k in present},
        polarity_recall={name: float(recall3[k]) for k, name in enumerate(POLARITIES) if np.isfinite(recall3[k])},
        ece_before=metrics.ece(before, negative),
        ece_after=metrics.ece(after, negative),
        labels=LABELS,
        confusion=metrics.confusion(truth, guess, classes).tolist(),
        reliability_before=[(b.said, b.was, b.count) for b in metrics.reliability(before, negative)],
        reliability_after=[(b.said, b.was, b.count) for b in metrics.reliability(after, negative)],
        risk_coverage=metrics.risk_coverage(answered, guess3 == truth3),
    )


def _range(figure: Callable[[Ints], float], speakers: Sequence[str]) -> Range:
    found = metrics.bootstrap(figure, speakers)
    low, value, high = (x if np.isfinite(x) else None for x in (found.low, found.value, found.high))
    return Range(value=value, low=low, high=high)
