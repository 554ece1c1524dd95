"""Intervals that hold for small numbers and for shares near 0 and 1. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

# Two-sided 95 %.
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def crosses_zero(self) -> bool:
        """Whether 0 is as good an answer."""
        return self.low <= 0.0 <= self.high


def wilson(k: int, n: int) -> Interval | None:
    """The share `k` of `n` with its score interval (Wilson 1927, without continuity correction); None for n = 0."""
    if n == 0:
        return None
    p, zz = k / n, Z * Z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    # At the ends the formula gives 0 and 1 but for the last bit.
    return Interval(value=p, low=0.0 if k == 0 else middle - half, high=1.0 if k == n else middle + half)


def newcombe(k1: int, n1: int, k2: int, n2: int) -> Interval | None:
    """The difference k1/n1 - k2/n2 (Newcombe 1998, method 10: square-and-add of Wilson's); None where either n is 0."""
    one, two = wilson(k1, n1), wilson(k2, n2)
    if one is None or two is None:
        return None
    difference = one.value - two.value
    low = difference - math.hypot(one.value - one.low, two.high - two.value)
    high = difference + math.hypot(one.high - one.value, two.value - two.low)
    return Interval(value=difference, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """k1 of n1 against k2 of n2, among those who are alike in what the strata hold."""

    k1: int
    n1: int
    k2: int
    n2: int


def pooled(strata: Iterable[Stratum]) -> Interval | None:
    """The difference within strata, pooled (Mantel-Haenszel risk difference; variance of Sato 1989); None where no stratum has both.

    It is not moved by strata that differ in who is contacted and in who comes back, as the plain difference is.
    """
    both = [one for one in strata if one.n1 and one.n2]
    weight = sum(one.n1 * one.n2 / (one.n1 + one.n2) for one in both)
    if not weight:
        return None
    difference = sum((one.k1 * one.n2 - one.k2 * one.n1) / (one.n1 + one.n2) for one in both) / weight
    p = q = 0.0
    for one in both:
        n = one.n1 + one.n2
        p += (one.n1**2 * one.k2 - one.n2**2 * one.k1 + one.n1 * one.n2 * (one.n2 - one.n1) / 2) / n**2
        q += (one.k1 * (one.n2 - one.k2) + one.k2 * (one.n1 - one.k1)) / (2 * n)
    half = Z * math.sqrt(max(difference * p + q, 0.0)) / weight
    return Interval(value=difference, low=difference - half, high=difference + half)


def mean_difference(ones: Sequence[float], twos: Sequence[float]) -> Interval | None:
    """The difference of two means with Welch's standard error (normal: it is shown from 30 on); None under two of either."""
    if min(len(ones), len(twos)) < 2:  # noqa: PLR2004 (a variance needs two)
        return None
    difference = fmean(ones) - fmean(twos)
    half = Z * math.sqrt(variance(ones) / len(ones) + variance(twos) / len(twos))
    return Interval(value=difference, low=difference - half, high=difference + half)
