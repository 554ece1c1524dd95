"""Names of people among spoken words: after "my name is", before "speaking", after a title, and given names where they are likely."""

from collections.abc import Callable, Sequence

from edge.words import vocabulary as v
from edge.words.identities import Marks, mark, skip

# Only at one of these words may a name be near.
_SIGNS = (
    frozenset(("name's", "surname's", "speaking")) | v.NAME_CUES | v.TITLES | v.LIKELY_CUES
    | {word for _, word in v.SURE_PAIRS | v.LIKELY_PAIRS}
)  # fmt: skip
# First, middle and last.
_LENGTH = 3


def names(tokens: Sequence[str], marks: Marks) -> None:
    """Mark the names in `tokens`."""
    for at, word in enumerate(tokens):
        if word not in _SIGNS:
            continue
        before = tokens[at - 1] if at else ""
        after = skip(tokens, at + 1, v.FILLERS)
        following = tokens[after] if after < len(tokens) else ""
        if word in ("name's", "surname's"):
            _name(tokens, marks, after, _introduced)
        elif word in v.NAME_CUES and following in v.NAME_LINKS:
            _name(tokens, marks, after + 1, _introduced)
        elif word in v.TITLES or (before, word) in v.SURE_PAIRS:
            _name(tokens, marks, after, _sure)
        elif word in v.LIKELY_CUES or (before, word) in v.LIKELY_PAIRS:
            _name(tokens, marks, after, _likely)
            _announced(tokens, marks, after)
        if word == "speaking" and following not in v.SPEAKING_OF:
            _announced_backwards(tokens, marks, at)


def _introduced(word: str) -> bool:
    return word not in v.NOT_AFTER_NAME_IS


def _sure(word: str) -> bool:
    return word not in v.NOT_NAMES or word in v.GIVEN_NAMES


def _likely(word: str) -> bool:
    return word in v.GIVEN_NAMES


def _name(tokens: Sequence[str], marks: Marks, start: int, first: Callable[[str], bool]) -> None:
    """Hide a name that begins at `start` if `first` takes its first word: up to three words, fillers between them not counted."""
    start = skip(tokens, start, v.FILLERS)
    if start >= len(tokens) or not first(tokens[start]):
        return
    end, parts = start + 1, 1
    while end < len(tokens) and parts < _LENGTH:
        if tokens[end] not in v.FILLERS:
            if tokens[end] in v.NOT_NAMES and tokens[end] not in v.SURNAMES:
                break
            parts += 1
        end += 1
    while tokens[end - 1] in v.FILLERS:
        end -= 1
    mark(marks, start, end, "name")


def _announced(tokens: Sequence[str], marks: Marks, start: int) -> None:
    """Hide up to three words before "speaking" or "calling": "this is wojciech speaking"."""
    ends = next((i for i in range(start + 1, min(start + _LENGTH + 1, len(tokens))) if tokens[i] in ("speaking", "calling")), None)
    if ends is not None and all(_sure(word) for word in tokens[start:ends]):
        mark(marks, start, ends, "name")


def _announced_backwards(tokens: Sequence[str], marks: Marks, speaking: int) -> None:
    """Hide up to three words before "speaking": "mrs patel speaking"."""
    start = speaking
    while start > 0 and speaking - start < _LENGTH and (_sure(tokens[start - 1]) or tokens[start - 1] in v.FILLERS):
        start -= 1
    mark(marks, start, speaking, "name")
