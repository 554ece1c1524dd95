"""Softmax regression by L-BFGS, calibration and the figures of merit: scipy and numpy alone, no scikit-learn."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

Floats = NDArray[np.float64]
# The held-out figures stop changing well before: measured at 40, 60, 120.
_ITERATIONS = 60
# How strongly the shifts of classes are held to 0: some classes have few rows.
_HELD = 1e-4


def softmax(scores: Floats) -> Floats:
    """Row-wise softmax."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(
    features: sparse.csr_matrix, targets: Floats, weights: Floats, *, penalty: float | Floats, iterations: int = _ITERATIONS,
    more: NDArray[np.float32] | None = None,
) -> Floats:  # fmt: skip
    """Weights (features, classes) that minimise the weighted cross entropy to `targets` plus penalty / 2 * their squares.

    `targets` is (rows, classes), soft ones too; a constant column in `features` is the bias; `penalty` may be one number a feature.
    `more` are features that are not sparse; they come after the others.
    """
    dense = np.zeros((features.shape[0], 0), np.float32) if more is None else more
    few, classes = features.shape[1], targets.shape[1]
    columns = few + dense.shape[1]
    # float32 halves the time, and is finer than any weight needs to be.
    features = features.astype(np.float32)
    transposed = features.T.tocsr()
    shrink = np.broadcast_to(np.asarray(penalty, np.float64).reshape(-1, 1), (columns, classes))

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(columns, classes)
        small = table.astype(np.float32)
        scores = (features @ small[:few] + dense @ small[few:]).astype(np.float64)
        top = scores.max(axis=1, keepdims=True)
        log_p = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
        value = -(weights[:, None] * targets * log_p).sum() + 0.5 * (shrink * table**2).sum()
        off = (weights[:, None] * (np.exp(log_p) - targets)).astype(np.float32)
        slope = np.concatenate([transposed @ off, dense.T @ off]) + shrink * table
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


def top_k(probabilities: Floats, truth: NDArray[np.int64], k: int) -> float:
    """The share of rows whose truth is among the k likeliest."""
    best = np.argsort(-probabilities, axis=1)[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())


def fit_scale(
    negative: Floats, positive: Floats, truth: NDArray[np.int64], weights: Floats | None = None
) -> tuple[Floats, Floats, tuple[float, float]]:
    """How much each score counts, (scores,) twice, and shifts, for the log-odds of negative and of positive against neutral.

    `negative`, `positive` are (rows, scores). They make the cross entropy of `truth` (indices of negative, neutral, positive), weighted,
    least: Platt scaling with a class more, and with as many scores as there are models. No model counts against itself.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    count = negative.shape[1]

    def loss(found: Floats) -> float:
        scores = [negative @ found[:count] + found[-2], np.zeros(len(truth)), positive @ found[count:-2] + found[-1]]
        p = softmax(np.stack(scores, axis=1))
        return float(-(weights * np.log(p[np.arange(len(truth)), truth] + 1e-12)).sum() / weights.sum())

    start = np.concatenate([np.full(2 * count, 1.0 / count), np.zeros(2)])
    bounds = [(0.0, None)] * (2 * count) + [(None, None)] * 2
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return found[:count], found[count:-2], (float(found[-2]), float(found[-1]))


def fit_shift(scores: Floats, truth: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How much each of several models' `scores` (rows, models, classes) counts, and a shift a class: those of least cross entropy."""
    models, classes = scores.shape[1:]
    hot = np.eye(classes)[truth]

    def loss(found: Floats) -> tuple[float, Floats]:
        p = softmax(np.einsum("rmc,m->rc", scores, found[:models]) + found[models:])
        value = -np.log((p * hot).sum(axis=1) + 1e-12).mean() + _HELD * (found[models:] ** 2).sum()
        off = (p - hot) / len(truth)
        return float(value), np.concatenate([np.einsum("rc,rmc->m", off, scores), off.sum(axis=0) + 2 * _HELD * found[models:]])

    start = np.concatenate([np.full(models, 1.0 / models), np.zeros(classes)])
    bounds = [(0.0, None)] * models + [(None, None)] * classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.asarray(found[:models]), np.asarray(found[models:])


def fit_decision(p: Floats, truth: NDArray[np.int64]) -> Floats:
    """Factors for the classes before taking the largest of `p`, for macro-F1: rarity to a power, not ten numbers fitted to few rows."""
    shares = np.maximum(np.bincount(truth, minlength=p.shape[1]), 1) / len(truth)
    powers = np.linspace(0.0, 1.0, 21)
    reached = np.array([macro_f1(truth, (p * shares**-power).argmax(axis=1), p.shape[1]) for power in powers])
    # Neighbours say the same but for chance.
    even = np.convolve(np.pad(reached, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    return np.asarray(shares ** -powers[even.argmax()])
