"""Numbers as spoken: where a run of number words stands, and how many digits it holds in what manner."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge.redaction.number_words import NUMBER_WORDS, ONES, SCALES, SINGLES, SPOKEN_TENS, TEENS
from edge.redaction.vocabulary import HOMOPHONES, SEPARATORS

_REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
STARTS = NUMBER_WORDS | frozenset(_REPEATS)
# Written digits, with the marks that people put into card, phone and account numbers.
_WRITTEN = re.compile(r"^[+(]?\d[\d().,/:-]*$")
# A pause, fillers and one misheard word inside a long number: not more, or two amounts in a sentence would run together.
_GAP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Number words in tokens[start:end].

    `digits` in all; `singles` of them said one by one, `loose` outside of hundreds and thousands; `units` counts the numbers that it is
    made of ("ten fifty five" is two).
    """

    start: int
    end: int
    digits: int
    singles: int
    loose: int
    units: int


def runs(tokens: Sequence[str]) -> list[Run]:
    """The runs of numbers in lower-case `tokens`, in order. Separators and fillers inside a run belong to it, at its ends they do not."""
    found: list[Run] = []
    position = 0
    while position < len(tokens):
        word = tokens[position]
        run = _run(tokens, position) if word in STARTS or not word.isalpha() else None
        if run is None:
            position += 1
            continue
        found.append(run)
        position = run.end
    return found


def _run(tokens: Sequence[str], start: int) -> Run | None:
    digits = singles = loose = units = 0
    position = end = start
    while position < len(tokens):
        taken, unit_digits, kind = _unit(tokens, position)
        if taken:
            digits += unit_digits
            units += 1
            singles += unit_digits if kind == "single" else 0
            loose += unit_digits if kind != "cardinal" else 0
            position += taken
            end = position
            continue
        if end == start or position - end >= _GAP or not _bridges(tokens, position, singles=singles):
            break
        position += 1
    return Run(start=start, end=end, digits=digits, singles=singles, loose=loose, units=units) if end > start else None


def _bridges(tokens: Sequence[str], position: int, *, singles: int) -> bool:
    """Whether the word at `position` may stand inside a number: a separator, or a misheard digit between digits said one by one."""
    word = tokens[position]
    if word in SEPARATORS or not word.strip(".-,…"):
        return True
    # Three digits one by one before, and one right after: what stands between is a digit that was misheard.
    follows = tokens[position + 1 : position + 3]
    said_singly = bool(follows) and (follows[0] in SINGLES or follows[0] in _REPEATS)
    if word in HOMOPHONES and len(follows) > 1 and follows[0] in HOMOPHONES and follows[1] in SINGLES:
        return True
    return said_singly and (word in HOMOPHONES or (singles >= 3 and len(follows) > 1 and follows[1] in STARTS))  # noqa: PLR2004 (said above)


def _unit(tokens: Sequence[str], position: int) -> tuple[int, int, str]:
    """One number at `position`: how many tokens, how many digits, and "single", "pair", "written" or "cardinal". (0, 0, "") if none."""
    word = tokens[position]
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    if word in _REPEATS:
        return (2, _REPEATS[word], "single") if following in SINGLES else (0, 0, "")
    if word in SINGLES or word in TEENS or word in SPOKEN_TENS:
        taken = 2 if word in SPOKEN_TENS and following in ONES else 1
        after = tokens[position + taken] if position + taken < len(tokens) else ""
        if after in SCALES:
            return _cardinal(tokens, position, taken)
        return (1, 1, "single") if word in SINGLES else (taken, 2, "pair")
    if word in SCALES:
        return _cardinal(tokens, position, 0)
    if _WRITTEN.match(word):
        count = sum(c.isdigit() for c in word)
        return 1, count, "single" if count == 1 else "written"
    return 0, 0, ""


def _cardinal(tokens: Sequence[str], position: int, taken: int) -> tuple[int, int, str]:
    """A number with hundreds or thousands: it ends where the next word cannot continue it."""
    digits = 0
    here = position + taken
    while here < len(tokens) and tokens[here] in SCALES:
        digits = max(digits, SCALES[tokens[here]] + (1 if taken == 2 else 0))  # noqa: PLR2004 (a pair before the scale is one digit more)
        here += 1
        rest = here + 1 if here + 1 < len(tokens) and tokens[here] == "and" and tokens[here + 1] in NUMBER_WORDS else here
        word = tokens[rest] if rest < len(tokens) else ""
        if word in SPOKEN_TENS:
            here = rest + (2 if rest + 1 < len(tokens) and tokens[rest + 1] in ONES else 1)
        elif word in TEENS or word in ONES:
            here = rest + 1
    return here - position, digits, "cardinal"
