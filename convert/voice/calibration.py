"""Calibration of the voice net on speakers that it did not learn from; what the box does with it is edge.voice.calibration."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from convert.metrics import ece
from edge.voice.calibration import Calibration, polarity_odds, softmax
from edge.voice.labels import LABELS, NEGATIVE, POSITIVE

# Three coefficients on hundreds of clips: a touch of shrinkage towards the net's own odds, no more. A slope of its own and a cross
# term for each polarity fit known corpora no better, and change the order of clips of others (docs/voice-experiments.md).
_SHRINKAGE = 0.002


def fit(logits: NDArray[np.float64], labels: NDArray[np.int64], weights: NDArray[np.float64]) -> Calibration:
    """The calibration that makes held-out clips likeliest.

    `logits` is (n, 7) of clips of held-out speakers, `labels` (n,) their places in LABELS, `weights` (n,) how much each counts.
    """
    share = weights / weights.sum()
    place = polarity_of(labels)
    odds = polarity_odds(logits)

    def loss(x: NDArray[np.float64]) -> float:
        p = _polarities(odds, x)[np.arange(len(place)), place]
        return float(-np.sum(share * np.log(np.maximum(p, 1e-12))) + _SHRINKAGE * np.sum(np.square(x - _START)))

    best = minimize(loss, _START, method="BFGS").x
    warm = minimize(lambda t: _nll(logits / np.exp(t[0]), labels, share), np.zeros(1), method="BFGS").x
    # A site's clips may have no neutral or no happy ones: their odds are then unknown, not infinite.
    prior = np.maximum([share[place == k].sum() for k in range(3)], 0.001)
    negative = labels_negative(labels)
    return Calibration(
        temperature=float(np.exp(warm[0])),
        slope=float(best[0]),
        bias_negative=float(best[1]),
        bias_positive=float(best[2]),
        log_prior=(float(np.log(prior[0] / prior[1])), float(np.log(prior[2] / prior[1]))),
        ece_before=ece(_polarities(odds, _START)[:, 0], negative),
        ece_after=ece(_polarities(odds, best)[:, 0], negative),
        clips=len(labels),
    )


# Slope, bias of negative, bias of positive: what the net says itself.
_START = np.asarray([1.0, 0.0, 0.0])


def polarity_of(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 negative, 1 neutral, 2 positive for each place in LABELS."""
    table = np.asarray([0 if name in NEGATIVE else 2 if name in POSITIVE else 1 for name in LABELS])
    return np.asarray(table[labels], np.int64)


def labels_negative(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which labels are negative."""
    return np.asarray(polarity_of(labels) == 0, np.bool_)


def p_negative(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of negative for each row of `logits` (n, 7) as the net says it itself, before calibration."""
    return _polarities(polarity_odds(logits), _START)[:, 0]


def _polarities(odds: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return softmax(np.stack([x[1] + x[0] * odds[:, 0], np.zeros(len(odds)), x[2] + x[0] * odds[:, 1]], axis=1))


def _nll(logits: NDArray[np.float64], labels: NDArray[np.int64], share: NDArray[np.float64]) -> float:
    p = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.sum(share * np.log(np.maximum(p, 1e-12))))
