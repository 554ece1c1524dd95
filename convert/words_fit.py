"""Softmax regression by L-BFGS, calibration and the figures of merit: scipy and numpy alone, no scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

Floats = NDArray[np.float64]
# The held-out figures stop changing well before: measured at 40, 60, 120.
_ITERATIONS = 60
# What a factor of e must add to macro-F1 (docs/words-experiments.md).
_HELD = 0.004


def softmax(scores: Floats) -> Floats:
    """Row-wise softmax."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(features: sparse.csr_matrix, targets: Floats, weights: Floats, *, penalty: float | Floats, iterations: int = _ITERATIONS) -> Floats:
    """Weights (features, classes) that minimise the weighted cross entropy to `targets` plus penalty / 2 * their squares.

    `targets` is (rows, classes), soft ones too; a constant column in `features` is the bias; `penalty` may be one number a feature.
    """
    columns, classes = features.shape[1], targets.shape[1]
    # float32 halves the time, and is finer than any weight needs to be.
    features = features.astype(np.float32)
    transposed = features.T.tocsr()
    shrink = np.broadcast_to(np.asarray(penalty, np.float64).reshape(-1, 1), (columns, classes))

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(columns, classes)
        scores = (features @ table.astype(np.float32)).astype(np.float64)
        top = scores.max(axis=1, keepdims=True)
        log_p = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
        value = -(weights[:, None] * targets * log_p).sum() + 0.5 * (shrink * table**2).sum()
        slope = transposed @ (weights[:, None] * (np.exp(log_p) - targets)).astype(np.float32) + shrink * table
        return float(value), slope.ravel()

    found = minimize(loss, np.zeros(columns * classes), jac=True, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 10})
    return np.asarray(found.x.reshape(columns, classes))


def macro_f1(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> float:
    """The mean over classes of F1."""
    scores = []
    for label in range(classes):
        hits = int(((truth == label) & (said == label)).sum())
        scores.append(2 * hits / max(1, int((truth == label).sum()) + int((said == label).sum())))
    return float(np.mean(scores))


def auc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted half (Mann-Whitney)."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    yes, no = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def ece(p: Floats, truth: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over `bins` equal steps of probability (Naeini et al. 2015)."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    return float(sum(abs(p[which == b].mean() - truth[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any()))


def top_k(probabilities: Floats, truth: NDArray[np.int64], k: int) -> float:
    """The share of rows whose truth is among the k likeliest."""
    best = np.argsort(-probabilities, axis=1)[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())


def fit_scale(score: Floats, other: Floats, truth: NDArray[np.int64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """(scale, scale), (shift, shift) for the log-odds of negative (`score`) and of positive (`other`) against neutral.

    They make the cross entropy of `truth` (indices of negative, neutral, positive) least: Platt scaling with a class more.
    """

    def loss(four: Floats) -> float:
        table = np.stack([four[0] * score + four[2], np.zeros_like(score), four[1] * other + four[3]], axis=1)
        return float(-np.log(softmax(table)[np.arange(len(truth)), truth] + 1e-12).mean())

    found = minimize(loss, np.array([1.0, 1.0, 0.0, 0.0]), method="L-BFGS-B").x
    return (float(found[0]), float(found[1])), (float(found[2]), float(found[3]))


def fit_factors(p: Floats, truth: NDArray[np.int64], rounds: int = 2) -> Floats:
    """A factor for each class before taking the largest, by coordinate search for macro-F1, kept within a half and twice.

    A factor must earn its distance from 1: rare classes have few rows, and what fits those is mostly chance.
    """
    factors = np.ones(p.shape[1])
    for _ in range(rounds):
        for label in range(p.shape[1]):
            tried = []
            for factor in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0):
                candidate = factors.copy()
                candidate[label] = factor
                away = abs(np.log(factor))
                tried.append((macro_f1(truth, (p * candidate).argmax(axis=1), p.shape[1]) - _HELD * away, -away, factor))
            factors[label] = max(tried)[2]
    return factors
