"""Proof of completeness: of each topic, the stretches of sequences that came; what lies between two of them is missing. Pure."""

from collections.abc import Iterable
from itertools import pairwise

Span = tuple[int, int]


def add(spans: list[Span], sequence: int) -> list[Span]:
    """`spans` (sorted, apart) with `sequence` in them."""
    if spans and spans[-1][1] == sequence - 1:
        return [*spans[:-1], (spans[-1][0], sequence)]
    if any(first <= sequence <= last for first, last in spans):
        return spans
    joined: list[Span] = []
    new = (sequence, sequence)
    for first, last in spans:
        if last == new[0] - 1:
            new = (first, new[1])
        elif first == new[1] + 1:
            new = (new[0], last)
        else:
            joined.append((first, last))
    return sorted([*joined, new])


def missing(spans: Iterable[Span], *, told: int | None = None) -> list[Span]:
    """What lies between the spans, and after them up to `told`, the last sequence that the box says it has given out."""
    ordered = sorted(spans)
    holes = [(left[1] + 1, right[0] - 1) for left, right in pairwise(ordered)]
    if told is not None and (not ordered or told > ordered[-1][1]):
        holes.append((ordered[-1][1] + 1 if ordered else 1, told))
    return holes


def without(holes: Iterable[Span], announced: Iterable[Span]) -> list[Span]:
    """The part of `holes` that no announced gap covers: lost, and nobody said so (or still on its way)."""
    left = list(holes)
    for first, last in announced:
        cut: list[Span] = []
        for low, high in left:
            if last < low or first > high:
                cut.append((low, high))
                continue
            cut += [(low, first - 1)] * (low < first) + [(last + 1, high)] * (last < high)
        left = cut
    return left


def count(spans: Iterable[Span]) -> int:
    """How many sequences are in `spans`."""
    return sum(last - first + 1 for first, last in spans)
