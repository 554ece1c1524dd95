"""From the net's seven logits to calibrated probabilities and to evidence: log-odds against neutral, corpus prior taken out.

Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017) with a bias for each polarity (Alexandari et al.,
"Maximum likelihood with bias-corrected calibration", ICML 2020), fitted by `convert.voice.calibration` on speakers that the net
did not learn from.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.voice.labels import LABELS, NEGATIVE, POSITIVE

_NEGATIVE = np.asarray([label in NEGATIVE for label in LABELS])
_POSITIVE = np.asarray([label in POSITIVE for label in LABELS])
_NEUTRAL = ~(_NEGATIVE | _POSITIVE)


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest's `calibration`.

    score_negative = bias_negative + slope * (L_neg - L_neu), and the same for positive, where L are the log-sums of a polarity's logits:
    one slope for both keeps the order in which the net has clips. Probabilities are the softmax of (score_negative, 0, score_positive).
    `log_prior` is the share of each against neutral in the clips it was fitted on, natural log. `ece_before` and `ece_after` are of
    p_negative on those held-out clips.
    """

    temperature: float
    slope: float
    bias_negative: float
    bias_positive: float
    log_prior: tuple[float, float]
    ece_before: float
    ece_after: float
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """Seven probabilities, three polarities (each summing to one), and the log-odds of evidence."""

    probs: NDArray[np.float64]
    p_negative: float
    p_neutral: float
    p_positive: float
    negative: float
    positive: float


def polarity_odds(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """float64 (n, 2): the log-sums of the negative and of the positive logits, each less neutral's. `logits` is (n, 7)."""
    whole = logits.astype(np.float64)
    neutral = _log_sum(whole[:, _NEUTRAL])
    return np.stack([_log_sum(whole[:, _NEGATIVE]) - neutral, _log_sum(whole[:, _POSITIVE]) - neutral], axis=1)


def calibrated(logits: NDArray[np.floating], calibration: Calibration) -> Calibrated:
    """What one utterance's `logits` (7,) mean."""
    negative, positive = polarity_odds(logits[None])[0]
    scores = np.asarray(
        [calibration.bias_negative + calibration.slope * negative, calibration.bias_positive + calibration.slope * positive]
    )
    p_negative, p_neutral, p_positive = softmax(np.asarray([scores[0], 0.0, scores[1]]))
    evidence = scores - np.asarray(calibration.log_prior)
    return Calibrated(
        probs=softmax(logits.astype(np.float64) / calibration.temperature),
        p_negative=float(p_negative),
        p_neutral=float(p_neutral),
        p_positive=float(p_positive),
        negative=float(evidence[0]),
        positive=float(evidence[1]),
    )


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The softmax over the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _log_sum(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    top = scores.max(axis=1)
    return np.asarray(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)))
