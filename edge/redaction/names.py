"""Names of people among spoken words: where somebody is introduced, addressed by title, said to own something, or named in full."""

from collections.abc import Callable, Sequence

from edge.redaction import vocabulary as v
from edge.redaction.known import GIVEN, foreign, named
from edge.redaction.marks import Marks, mark, skip

# First, middle and last.
_LENGTH = 3


def names(tokens: Sequence[str], marks: Marks) -> None:
    """Mark the names in `tokens`."""
    for at, word in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        after = skip(tokens, at + 1, v.FILLERS)
        following = tokens[after] if after < len(tokens) else ""
        first = _first_of(word, before)
        if word in v.NAME_SIGNS:
            _named(tokens, marks, word, after)
        elif first is not None:
            _name(tokens, marks, skip(tokens, after, v.OWNER_LINKS) if first is _not_ordinary else after, first)
        elif word in v.LIKELY_CUES or (before, word) in v.LIKELY_PAIRS:
            _name(tokens, marks, after, _given)
            _announced(tokens, marks, after)
        if (before, word) == ("this", "is") or (word in v.SELF and _told_of(tokens, after)):
            _name(tokens, marks, after, foreign)
        if word in v.ANNOUNCING and (word == "calling" or following not in v.SPEAKING_OF):
            _announced_backwards(tokens, marks, at)
        if word in GIVEN and following not in v.NOT_NAMES and foreign(following):
            _name(tokens, marks, at, _given)


def _first_of(word: str, before: str) -> Callable[[str], bool] | None:
    """What the first word of a name must be behind `before` and `word`; None where they say of no name."""
    if word in v.TITLES or (before, word) in v.SURE_PAIRS:
        return _sure
    if word in v.UNSURE_TITLES or (before, word) == ("speaking", "is"):
        return foreign
    owns = (word in v.OWNERS and before in v.OWNED) or word in v.OWNER_WORDS or (before, word) in v.OWNER_PAIRS
    return _not_ordinary if owns else None


def _named(tokens: Sequence[str], marks: Marks, word: str, after: int) -> None:
    """After "name": "my name is", "his name's", "surname okonkwo", "under the name of"."""
    following = tokens[after] if after < len(tokens) else ""
    if word.endswith("'s"):
        _name(tokens, marks, after, _introduced)
    elif following in v.NAME_LINKS:
        _name(tokens, marks, after + 1, _introduced)
    elif following not in v.NOT_NAMES:
        _name(tokens, marks, after, foreign)


def _introduced(word: str) -> bool:
    return word not in v.NOT_AFTER_NAME_IS


def _sure(word: str) -> bool:
    return word not in v.NOT_NAMES or word in GIVEN


def _given(word: str) -> bool:
    return word in GIVEN


def _not_ordinary(word: str) -> bool:
    return word not in v.NOT_NAMES and foreign(word)


def _name(tokens: Sequence[str], marks: Marks, start: int, first: Callable[[str], bool]) -> None:
    """Hide a name that begins at `start` if `first` takes its first word: up to three words, fillers between them not counted."""
    start = skip(tokens, start, v.FILLERS)
    if start >= len(tokens) or not first(tokens[start]):
        return
    end, parts = start + 1, 1
    while end < len(tokens) and parts < _LENGTH:
        if tokens[end] not in v.FILLERS:
            surname = tokens[end] in v.SURNAMES and parts == 1
            if not surname and (tokens[end] in v.NOT_NAMES or not (first is _introduced or foreign(tokens[end]))):
                break
            parts += 1
        end += 1
    while tokens[end - 1] in v.FILLERS:
        end -= 1
    mark(marks, start, end, "name")


def _told_of(tokens: Sequence[str], start: int) -> bool:
    """Whether what begins at `start` is a name by what follows it: "it's okonkwo again", "i'm tamsin oyelaran"."""
    end = start
    while end < len(tokens) and end - start < _LENGTH and _not_ordinary(tokens[end]):
        end += 1
    named_there = any(named(word) for word in tokens[start:end])
    return end > start and (end - start > 1 or named_there or (end < len(tokens) and tokens[end] in v.AFTER_NAMES))


def _announced(tokens: Sequence[str], marks: Marks, start: int) -> None:
    """Hide up to three words before "speaking" or "calling": "this is wojciech speaking"."""
    ends = next((i for i in range(start + 1, min(start + _LENGTH + 1, len(tokens))) if tokens[i] in ("speaking", "calling")), None)
    if ends is not None and all(_sure(word) for word in tokens[start:ends]):
        mark(marks, start, ends, "name")


def _announced_backwards(tokens: Sequence[str], marks: Marks, announcing: int) -> None:
    """Hide up to three words before "speaking" ("mrs patel speaking"), and names before "here"."""
    takes = _sure if tokens[announcing] == "speaking" else _not_ordinary
    start = announcing
    while start > 0 and announcing - start < _LENGTH and (takes(tokens[start - 1]) or tokens[start - 1] in v.FILLERS):
        start -= 1
    start = skip(tokens, start, v.FILLERS)
    if start < announcing:
        mark(marks, start, announcing, "name")
