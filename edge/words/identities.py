"""E-mail addresses, secrets, births and addresses among spoken words: where each begins and ends.

Each function marks the positions of one kind of identifier; edge.words.redact says in which order.
"""

import re
from collections.abc import Sequence

from edge.words import vocabulary as v
from edge.words.spoken import NUMBER_WORDS, STARTS, Run

# How far a secret or an address goes on, in words.
_SECRET_LENGTH, _ADDRESS_LENGTH = 6, 8
# "j dot smith underscore forty two at my company" is long for what stands before a domain.
_LOCAL_LENGTH = 12
# "at my company dot com"
_HOST_LENGTH = 5
# How many misheard words may stand before a date of birth.
_STRAYS = 3
_MAIL = re.compile(r"^\S+@\S+\.\S+$")
_WRITTEN_DATE = re.compile(r"^\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}$")

_DATE_LINKS = v.FILLERS | frozenset(("the", "of", "in"))
# Only at one of these words may a birth, a secret or a told e-mail address be near ("d o b" is spelled).
_BIRTHS = frozenset(("birth", "born", "dob", "birthday", "birthdate", "b"))
_SECRET_SIGNS = frozenset(cue + end for cue in (*v.SECRET_CUES, *(cue for _, cue in v.SECRET_PAIRS)) for end in ("", "'s"))
_AT = frozenset(("at", "@"))
_TOLD_MAIL = frozenset(("underscore",)) | v.MAIL_CUES
_BIRTH_LINKS = v.FILLERS | frozenset(("is", "it's", "on", "was", "the", "its", "that's", "in"))
# What a date is told in, and what is heard among its words but does not end it.
_DATED = v.MONTHS | v.ORDINALS | NUMBER_WORDS
_DATE_ENDS = frozenset(("of", "the", "in", "and", "double", "know", "or")) | v.HOMOPHONES | v.MISHEARD_FILLERS
_DATE_PARTS = _DATED | _DATE_ENDS
_TENS_OF_DAYS = frozenset(("twenty", "thirty"))

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


def emails(tokens: Sequence[str], marks: Marks) -> None:
    """Written addresses, and spoken ones around "at" with a domain after it."""
    for at, token in enumerate(tokens):
        if "@" not in token and token not in _AT:
            continue
        if _MAIL.match(token):
            mark(marks, at, at + 1, "email")
        if token not in _AT:
            continue
        end = _domain_end(tokens, at + 1)
        if end is None:
            continue
        mark(marks, _local_start(tokens, at), end, "email")
    if not _TOLD_MAIL.isdisjoint(tokens):
        _told_emails(tokens, marks)


def _local_start(tokens: Sequence[str], at: int) -> int:
    """Where the part of an address that ends before `at` begins."""
    start = at
    while start > 0 and at - start < _LOCAL_LENGTH and (tokens[start - 1] not in v.MAIL_STOPS or _joined(tokens, start)):
        start -= 1
    return start


def _told_emails(tokens: Sequence[str], marks: Marks) -> None:
    """Addresses whose "at" was misheard: what follows "my email is", and what ends in "dot com" where an e-mail is spoken of."""
    # An underscore is in nothing but an address or a user name.
    for at in [at for at, word in enumerate(tokens) if word == "underscore"]:
        host = next((i for i in range(at, min(at + _LOCAL_LENGTH, len(tokens))) if tokens[i] == "at"), at) + _HOST_LENGTH
        mark(marks, _local_start(tokens, at), next((i for i in range(at, len(tokens[:host])) if tokens[i] in v.MAIL_OVER), host), "email")
    for at in [at for at, word in enumerate(tokens) if word in v.MAIL_CUES]:
        link = skip(tokens, at + 1, v.FILLERS | frozenset(("address",)))
        start = skip(tokens, link + 1, v.FILLERS)
        end = next((i for i in range(start, len(tokens)) if tokens[i] in v.MAIL_ENDS or i - start >= _LOCAL_LENGTH), len(tokens))
        if link < len(tokens) and tokens[link] in v.MAIL_LINKS and not v.MAIL_PARTS.isdisjoint(tokens[start:end]):
            mark(marks, start, end, "email")
        for dot in range(at + 2, min(at + _LOCAL_LENGTH, len(tokens) - 1)):
            if tokens[dot + 1] in v.TOP_LEVELS and (_dot(tokens, dot) or tokens[dot + 1] == "com"):
                mark(marks, max(at + 1, _local_start(tokens, dot)), _domain_end(tokens, max(dot - 1, at + 1)) or dot + 2, "email")


def _joined(tokens: Sequence[str], start: int) -> bool:
    """Whether tokens[start - 1] belongs to an address because a joint follows it: "my dot name at"."""
    return tokens[start] in v.MAIL_JOINTS or (len(tokens[start - 1]) == 1 and start > 1 and tokens[start - 2] in v.MAIL_JOINTS | v.LETTERS)


def _domain_end(tokens: Sequence[str], start: int) -> int | None:
    """Where "gmail dot com" that begins at `start` ends; None if no domain is there."""
    start = skip(tokens, start, v.FILLERS)
    dot = next((i for i in range(start + 1, min(start + 7, len(tokens))) if _dot(tokens, i)), None)
    if dot is None:
        provider = next((i for i in range(start, min(start + 2, len(tokens))) if tokens[i].split(".")[0] in v.MAIL_PROVIDERS), None)
        if provider is None and tokens[start : start + 2] not in (["g", "mail"], ["hot", "mail"], ["i", "cloud"]):
            return None
        end = (provider if provider is not None else start + 1) + 1
        return skip(tokens, end, frozenset(("com", "co", "uk", "net", "org")))
    end = skip(tokens, dot + 1, v.FILLERS) + 1
    while end < len(tokens) and _dot(tokens, end):
        end += 2
    return skip(tokens, end, frozenset(("uk", "u", "k", "com")))


def _dot(tokens: Sequence[str], position: int) -> bool:
    """Whether a dot of a domain is said here; "point" is one only before "com" and the like ("at this point we")."""
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    return tokens[position] in ("dot", ".") or (tokens[position] == "point" and following in v.TOP_LEVELS)


def secrets(tokens: Sequence[str], marks: Marks) -> None:
    """What follows "password is", "pin is", "maiden name is" and the like."""
    for at, word in enumerate(tokens):
        if word not in _SECRET_SIGNS:
            continue
        cue, owned = word.removesuffix("'s"), word.endswith("'s")
        if cue not in v.SECRET_CUES and (tokens[at - 1] if at else "", cue) not in v.SECRET_PAIRS:
            continue
        after = at if owned else skip(tokens, at + 1, v.SECRET_LINKS)
        link = "is" if owned else tokens[after] if after < len(tokens) else ""
        changing = link in ("to", "as") and not v.CHANGING.isdisjoint(tokens[max(0, at - 4) : at])
        if link not in v.IS and not changing:
            continue
        start = skip(tokens, after + 1, v.SECRET_ARTICLES)
        end = start
        while end < len(tokens) and end - start < _SECRET_LENGTH and (tokens[end] not in v.NOT_SECRETS or tokens[end] in v.LETTERS):
            end += 1
        if end > start:
            mark(marks, start, symbols_end(tokens, end), "password")


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
        if end - start > 1 or (end > start and tokens[start][:1].isdigit()):
            mark(marks, start, end, "date")


def dates(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """A day, a month and a year together identify; a day and a month alone may be a delivery."""
    starts = {run.start: run for run in found}
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


def addresses(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """A house number with a street, and what follows "address is" and "live at"."""
    for run in found:
        # "twenty two acacia avenue": a house number, one to four words of a name, a street.
        if run.start and tokens[run.start - 1] in v.PUBLIC_NUMBERS:
            continue
        for street in range(run.end + 1, min(run.end + 5, len(tokens))):
            word, between = tokens[street], tokens[run.end : street]
            if not v.NOT_STREET_NAMES.isdisjoint(between) or not v.UNITS.isdisjoint(between):
                break
            if word in v.STREETS or (word in v.OTHER_STREETS and v.NOT_NAMES.isdisjoint(between) and len(between) < 3):  # noqa: PLR2004 (a name)
                mark(marks, run.start, street + 1, "address")
                break
        home = run.start - 1 - (tokens[run.start - 1] == "number")
        # "flat two", "house number nine", "send it to fourteen"
        housed = run.start and home >= 0 and tokens[home] in v.HOMES
        if (housed or tuple(tokens[run.start - 3 : run.start]) in v.SENDING) and v.UNITS.isdisjoint(tokens[run.end : run.end + 1]):
            mark(marks, run.start, run.end, "address")
    _told_addresses(tokens, marks)


def _told_addresses(tokens: Sequence[str], marks: Marks) -> None:
    """What follows "address is" and "live at"."""
    for at in range(len(tokens) - 1):
        if tokens[at] not in v.ADDRESS_CUES or (tokens[at] == "address" and at and tokens[at - 1] in ("email", "e-mail", "mail", "wrong")):
            continue
        links = ("is", "it's", "that's", "as", "has") if tokens[at] == "address" else ("at", "on")
        start = skip(tokens, at + 1, v.FILLERS)
        if start >= len(tokens) or tokens[start] not in links:
            continue
        start = skip(tokens, start + 1, v.FILLERS)
        end = start
        while end < len(tokens) and end - start < _ADDRESS_LENGTH and (tokens[end] not in v.NOT_NAMES or _housed(tokens, end)):
            end += 1
        mark(marks, start, end, "address")


def _housed(tokens: Sequence[str], position: int) -> bool:
    """Whether a word that ends names belongs to an address here: a number, or the letter in "flat b"."""
    return tokens[position] in STARTS or tokens[position] in v.ADDRESS_LINKS or tokens[position - 1] in ("flat", "apartment", "unit", "apt")


def symbols_end(tokens: Sequence[str], start: int) -> int:
    """Where letters and digits said one by one from `start` on end."""
    while start < len(tokens) and (tokens[start] in v.LETTERS or tokens[start] in v.SPELLING_WORDS or tokens[start] in STARTS):
        start += 1
    return start
