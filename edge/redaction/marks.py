"""Which words of a sentence are hidden, and as what."""

from collections.abc import Sequence

# One label a word; "" where the word stays.
Marks = list[str]


def mark(marks: Marks, start: int, end: int, label: str) -> None:
    """Hide [start, end); what is hidden already keeps its label."""
    for position in range(start, min(end, len(marks))):
        marks[position] = marks[position] or label


def skip(tokens: Sequence[str], position: int, over: frozenset[str]) -> int:
    """The first position from `position` on whose word is not in `over`."""
    while position < len(tokens) and tokens[position] in over:
        position += 1
    return position
