"""Figures of merit, each with where it comes from. Labels and predictions are int arrays (n,); probabilities float (n, k) or (n,)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion(truth: Ints, guess: Ints, classes: int) -> Ints:
    """Counts, (classes, classes): rows are what it was, columns what it was taken for."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, guess), 1)
    return table


def recalls(truth: Ints, guess: Ints, classes: int) -> Floats:
    """Recall of each class, (classes,), 0..1; NaN for a class that does not occur."""
    table = confusion(truth, guess, classes)
    totals = table.sum(axis=1)
    return np.where(totals > 0, np.diag(table) / np.maximum(totals, 1), np.nan)


def uar(truth: Ints, guess: Ints, classes: int) -> float:
    """Unweighted average recall (Schuller et al., INTERSPEECH 2009 challenge) over the classes that occur; NaN for none."""
    found = recalls(truth, guess, classes)
    return float(np.nanmean(found)) if len(truth) else float("nan")


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve by ranks, ties shared (Mann-Whitney U / (n1 n0)); NaN if one side is empty."""
    n1 = int(positive.sum())
    n0 = len(positive) - n1
    if not n1 or not n0:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return float((ranks[positive].sum() - n1 * (n1 + 1) / 2.0) / (n1 * n0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bin of a reliability diagram: what was said on average, how often it was so, and how many."""

    said: float
    was: float
    count: int


def reliability(probability: Floats, happened: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """Equal-width bins over 0..1, empty ones left out (DeGroot and Fienberg 1983)."""
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    found = []
    for number in range(bins):
        chosen = place == number
        if chosen.any():
            found.append(Bin(said=float(probability[chosen].mean()), was=float(happened[chosen].mean()), count=int(chosen.sum())))
    return found


def ece(probability: Floats, happened: NDArray[np.bool_]) -> float:
    """Expected calibration error of a binary probability (Naeini et al. 2015): 0 is perfect; NaN for no data."""
    if not len(probability):
        return float("nan")
    return sum(b.count * abs(b.said - b.was) for b in reliability(probability, happened)) / len(probability)


def risk_coverage(confidence: Floats, correct: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(coverage, share wrong among the covered) as ever less confident ones are answered (El-Yaniv and Wiener 2010)."""
    if not len(correct):
        return []
    ordered = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~correct[ordered])
    answered = np.arange(1, len(ordered) + 1)
    # A point a percent is all that a plot shows.
    kept = np.unique(np.linspace(0, len(ordered) - 1, min(100, len(ordered))).astype(np.int64))
    return [(float(answered[i] / len(ordered)), float(wrong[i] / answered[i])) for i in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure and the 95 % interval around it."""

    value: float
    low: float
    high: float


def share(k: int, n: int) -> Interval:
    """`k` of `n` with its score interval (Wilson 1927), which holds for few and for none; n > 0."""
    zz = 1.96 * 1.96
    p, whole = k / n, 1 + zz / n
    middle, half = (p + zz / (2 * n)) / whole, 1.96 * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / whole
    return Interval(value=p, low=max(0.0, middle - half), high=min(1.0, middle + half))


def bootstrap(figure: Callable[[Ints], float], groups: Sequence[str]) -> Interval:
    """`figure` of all rows, with its percentile bootstrap interval (Efron 1979); `figure` gets row numbers, (n,).

    Whole speakers (`groups`) are drawn where there are at least five, for clips of one speaker are no independent evidence;
    with fewer, clips within each speaker are. NaN of no rows.
    """
    rng = np.random.default_rng(1)
    names = np.asarray(groups)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(groups)]
    if not members:
        return Interval(value=float("nan"), low=float("nan"), high=float("nan"))
    enough = 5
    found = []
    for _ in range(300):
        if len(members) >= enough:
            rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        else:
            rows = np.concatenate([m[rng.integers(len(m), size=len(m))] for m in members])
        value = figure(rows)
        if np.isfinite(value):
            found.append(value)
    low, high = np.percentile(found, [2.5, 97.5]) if found else (float("nan"), float("nan"))
    return Interval(value=figure(np.arange(len(names))), low=float(low), high=float(high))
