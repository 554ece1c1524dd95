"""Where somebody lives: house numbers with a street, houses with a name, and what follows "address is"."""

from collections.abc import Sequence

from edge.redaction import vocabulary as v
from edge.redaction.known import foreign
from edge.redaction.marks import Marks, mark, skip
from edge.redaction.spoken_numbers import STARTS, Run

# How far an address goes on, how far before a street or a house its cue may stand, and how many words its name has.
_LENGTH, _REACH, _NAME = 8, 8, 3
# A street that was misheard has its name and its kind.
_STREET = 2
_ENDS_STREET = v.NOT_STREET_NAMES | frozenset(
    ("called", "the", "live", "lives", "living", "address", "delivered", "moved", "send", "sent", "wrong", "road")
)
_NO_STREET = v.NOT_NAMES | v.NOT_STREET_NAMES | v.FILLERS
_MISHEARD_HEADS = v.HOMOPHONES | frozenset(("do",))
_POINTS = frozenset(("at", "is", "to", "on", "called"))


def addresses(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """A house number with a street, and what follows "address is" and "live at"."""
    for run in found:
        # "twenty two acacia avenue": a house number, one to four words of a name, a street.
        if run.start and tokens[run.start - 1] in v.PUBLIC_NUMBERS:
            continue
        for street in range(run.end + 1, min(run.end + 5, len(tokens))):
            word, between = tokens[street], tokens[run.end : street]
            # "one hundred and eighty the priory way"
            between = between[1:] if between[0] == "the" and all(map(foreign, between[1:])) else between
            if not v.NOT_NAMES.isdisjoint(between) or not v.UNITS.isdisjoint(between):
                break
            if word in v.STREETS or (word in v.OTHER_STREETS and v.NOT_NAMES.isdisjoint(between) and len(between) < 3):  # noqa: PLR2004 (a name)
                mark(marks, run.start, street + 1, "address")
                break
        home = run.start - 1 - (tokens[run.start - 1] == "number")
        # "flat two", "house number nine", "send it to fourteen"
        housed = run.start and home >= 0 and tokens[home] in v.HOMES
        if (housed or tuple(tokens[run.start - 3 : run.start]) in v.SENDING) and v.UNITS.isdisjoint(tokens[run.end : run.end + 1]):
            mark(marks, run.start, run.end, "address")
        elif tuple(tokens[run.start - 2 : run.start]) in v.BROUGHT_TO:
            _brought(tokens, marks, run)
    _streets(tokens, marks)
    _told_addresses(tokens, marks)


def _brought(tokens: Sequence[str], marks: Marks, run: Run) -> None:
    """A house number after "deliver to" with up to two words of a street that was misheard: "twenty eight church port"."""
    end = run.end
    while end < len(tokens) and end - run.end < _STREET and tokens[end] not in _NO_STREET:
        end += 1
    counted = run.end < len(tokens) and (tokens[run.end] in v.NOT_STREET_NAMES or tokens[run.end].endswith("s"))
    if not counted and v.UNITS.isdisjoint(tokens[run.end : end + 1]):
        mark(marks, run.start, end, "address")


def _streets(tokens: Sequence[str], marks: Marks) -> None:
    """Streets without a number and houses with a name, where somebody lives or something is sent: "i live at rose cottage"."""
    for at, word in enumerate(tokens):
        if word not in v.STREETS and word not in v.OTHER_STREETS and word not in v.HOUSES:
            continue
        start = at
        while start > 0 and at - start < _NAME and tokens[start - 1] not in _ENDS_STREET and tokens[start - 1] not in v.FILLERS:
            start -= 1
        before = tokens[max(0, start - _REACH) : start]
        lives = not v.ABODES.isdisjoint(before)
        strange = any(foreign(part) for part in tokens[start:at])
        # "the house is called", "deliver it to": a name comes at once, whatever its words.
        pointed = bool(before) and before[-1] in _POINTS and lives
        if start < at and ((word in v.STREETS and (lives or strange)) or (strange and lives) or pointed):
            mark(marks, start, at + 1, "address")


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
        # "address is do priory": the number was misheard, and something foreign stands behind it
        end = skip(tokens, start, _MISHEARD_HEADS)
        end = end if end < len(tokens) and foreign(tokens[end]) else start
        while end < len(tokens) and end - start < _LENGTH and (tokens[end] not in v.NOT_NAMES or _housed(tokens, end)):
            end += 1
        while end > start and (tokens[end - 1] in v.ADDRESS_LINKS or tokens[end - 1] in v.FILLERS):
            end -= 1
        mark(marks, start, end, "address")


def _housed(tokens: Sequence[str], position: int) -> bool:
    """Whether a word that ends names belongs to an address here: a number, or the letter in "flat b"."""
    hundreds = tokens[position - 1 : position + 1] == ["hundred", "and"] and tokens[position + 1 : position + 2] != []
    return (
        hundreds
        or tokens[position] in STARTS
        or tokens[position] in v.ADDRESS_LINKS
        or tokens[position - 1] in ("flat", "apartment", "unit", "apt")
    )
