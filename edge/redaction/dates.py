"""Dates that say who somebody is: births, and days with their year."""

import re
from collections.abc import Mapping, Sequence

from edge.redaction import vocabulary as v
from edge.redaction.marks import Marks, mark, skip
from edge.redaction.number_words import NUMBER_WORDS, ONES, SCALES, SPOKEN_TENS, TEENS
from edge.redaction.spoken_numbers import Run

# How many misheard words may stand before a date of birth.
_STRAYS = 3
_WRITTEN_DATE = re.compile(r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}$")
_DATE_LINKS = v.FILLERS | frozenset(("the", "of", "in"))
# Only at one of these words may a birth be near ("d o b" is spelled).
_BIRTHS = frozenset(("birth", "born", "dob", "birthday", "birthdate", "b"))
_BIRTH_LINKS = v.FILLERS | frozenset(("is", "it's", "on", "was", "the", "its", "that's", "in"))
# What a date is told in, and what is heard among its words but does not end it.
_DATED = v.MONTHS | v.ORDINALS | NUMBER_WORDS
_DATE_ENDS = frozenset(("of", "the", "in", "and", "double", "know", "or")) | v.HOMOPHONES | v.MISHEARD_FILLERS
_DATE_PARTS = _DATED | _DATE_ENDS
_TENS_OF_DAYS = frozenset(("twenty", "thirty"))


def births(tokens: Sequence[str], marks: Marks) -> None:
    """A date after "date of birth", "born", "birthday": all of its words."""
    if _BIRTHS.isdisjoint(tokens):
        return
    for at, token in enumerate(tokens):
        if token not in _BIRTHS or (len(token) == 1 and tokens[max(0, at - 2) : at + 1] != ["d", "o", "b"]):
            continue
        start = skip(tokens, at + 1, _BIRTH_LINKS)
        if tokens[start : start + 2] in (["i", "know"], ["i", "no"]):
            # "oh" at the head of a day, misheard
            start += 2
        elif not token.startswith("born"):
            # "date of birth our minds may nineteen sixty": the day was misheard
            start = next((i for i in range(start, min(start + _STRAYS, len(tokens))) if tokens[i] in _DATED), start)
        end = start
        while end < len(tokens) and (tokens[end] in _DATE_PARTS or tokens[end][:1].isdigit()):
            end += 1
        while end > start and tokens[end - 1] in _DATE_ENDS:
            end -= 1
        if token.startswith("birth") and (year := _year_end(tokens, end)) is not None:
            # "birthday is seventeen survey pearl nineteen ninety three": the month was misheard
            end = year
        if end - start > 1 or (end > start and tokens[start][:1].isdigit()):
            mark(marks, start, end, "date")


def _year_end(tokens: Sequence[str], start: int) -> int | None:
    """Where a year of somebody's life ends that begins within a few words of `start`; None where there is none."""
    for at in range(start, min(start + _STRAYS, len(tokens) - 1)):
        if tokens[at] == TEENS[-1] and tokens[at + 1] in SPOKEN_TENS:
            return at + 2 + (at + 2 < len(tokens) and tokens[at + 2] in ONES)
        if tokens[at] in ONES and tokens[at + 1] in SCALES:
            return at + 2
    return None


def dates(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """A day, a month and a year together identify; a day and a month alone may be a delivery."""
    starts = {run.start: run for run in found}
    _ordinal_dates(tokens, marks, starts)
    ends = {run.end: run for run in found}
    for at, token in enumerate(tokens):
        if token not in v.MONTHS:
            if token[:1].isdigit() and _WRITTEN_DATE.match(token):
                mark(marks, at, at + 1, "date")
            continue
        before = at - 1 if at and tokens[at - 1] == "of" else at
        start, end = before, at + 1
        if before and tokens[before - 1] in v.ORDINALS:
            start -= 2 if before > 1 and tokens[before - 2] in _TENS_OF_DAYS else 1
        elif before in ends:
            start = ends[before].start
        else:
            # "march the fourth nineteen eighty two", "march four nineteen eighty two"
            end = skip(tokens, skip(tokens, end, _DATE_LINKS), _TENS_OF_DAYS)
            end = end + 1 if end < len(tokens) and tokens[end] in v.ORDINALS else skip(tokens, at + 1, _DATE_LINKS)
        year = starts.get(skip(tokens, end, _DATE_LINKS))
        if year is None or (year.end < len(tokens) and tokens[year.end] in v.UNITS):
            continue
        dated = start < before or tokens[end - 1] in v.ORDINALS or year.digits > 4  # noqa: PLR2004 (a day beside the four digits of a year)
        if dated and year.digits >= 2:  # noqa: PLR2004 ("eighty two")
            mark(marks, start, year.end, "date")


def _ordinal_dates(tokens: Sequence[str], marks: Marks, starts: Mapping[int, Run]) -> None:
    """Days and months by their numbers: "ninth third fifty two", "the ninth of the third fifty two"."""
    for at, token in enumerate(tokens):
        month = skip(tokens, at + 1, _DATE_LINKS)
        if token not in v.ORDINALS or month >= len(tokens) or tokens[month] not in v.ORDINALS:
            continue
        year = starts.get(skip(tokens, month + 1, _DATE_LINKS))
        if year is not None and year.digits >= 2 and not (year.end < len(tokens) and tokens[year.end] in v.UNITS):  # noqa: PLR2004 (a year)
            mark(marks, at, year.end, "date")
