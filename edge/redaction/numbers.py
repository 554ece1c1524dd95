"""Which spoken numbers are somebody's: by a cue near them, by how they are said, and through what a recogniser made of their digits."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from edge.redaction import vocabulary as v
from edge.redaction.clock_times import clock_times
from edge.redaction.marks import Marks, mark
from edge.redaction.number_words import NUMBER_WORDS
from edge.redaction.spoken_numbers import Run

# A card has 13 to 19 digits (ISO/IEC 7812), a phone number up to 15 with its country (E.164), in practice 9 to 12; an account 6 to 9.
_CARD, _PHONE, _ACCOUNT = 13, 10, 6
# Four digits one by one are a PIN, an extension, the end of a card; three may be "one two three". Three pairs are part of a number.
_SINGLES, _UNITS, _LOOSE = 4, 3, 5
# Ten digits in any manner are nobody's amount.
_ANY = 10
# A number before "pounds" or "minutes" is an amount unless it is as long as no amount is.
_LONG = 7
# With a cue ("ends in") three digits are enough, after "pin" any; without one three are where nothing else is said.
CUED = 3
# Words that a recogniser may put between two digits of a number ("er" becomes "or", "oh" "no"), and how thin it may get by them.
_BROKEN, _DENSE = 3, 2
# How many words may stand for the letters of a code before its digits, and how many of those are none that sound like letters.
_CODE_REACH, _CODE_STRAYS = 8, 3
# How many words a recogniser makes of digits that it did not know in the middle of a long number.
_TORN = 8
# How far a cue reaches over linking words to its number, how many misheard words may be among them, and how far after a number one stands.
_CUE_REACH, _STRAYS, _AFTER = 7, 1, 4
# "no sorry hold on let me start that again"
_CORRECTION = 9
_DIGIT_LIKE = NUMBER_WORDS | v.HOMOPHONES
_LIKE_LETTERS = v.MISHEARD_LETTERS | v.LETTERS | v.SPELLING_WORDS | v.CUE_LINKS
_MAY_GO_ON = _DIGIT_LIKE | v.MISHEARD_FILLERS


def numbers(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """Mark the numbers among the runs `found` that identify somebody."""
    for run in (*_joined(tokens, found), *found):
        cue = cue_of(tokens, run.start, run.end)
        if cue is None:
            # A number told digit by digit is somebody's even where a word beside its cue was misheard; so is a postcode.
            cue = cue_of(tokens, run.start, run.end, strays=_STRAYS)
            cue = (cue if run.singles >= CUED or cue == "postcode" else None) or _code_cue(tokens, run)
        if _identifies(tokens, run, cue):
            start, end = _whole(tokens, run, long=run.singles >= _ACCOUNT or cue == "postcode")
            mark(marks, start, end, _label(run, cue))
    for run, after in pairwise(found):
        # "eight five zero let me start again eight five zero five ...": the beginning of somebody's number is theirs too.
        gap = tokens[run.end : after.start]
        if marks[after.start] and not marks[run.start] and run.digits > 1 and len(gap) <= _CORRECTION and v.CORRECTIONS.issuperset(gap):
            mark(marks, run.start, run.end, marks[after.start])


def _identifies(tokens: Sequence[str], run: Run, cue: str | None) -> bool:
    unit = tokens[run.end] if run.end < len(tokens) else ""
    # The "k" behind an account's number is a letter of it.
    misheard = unit in v.UNSURE_UNITS and (run.singles >= _SINGLES or (unit == "k" and cue is not None))
    if unit in v.UNITS and not misheard:
        return run.loose >= (_LONG if cue is None else _ACCOUNT)
    if cue in ("password", "postcode") or (cue is not None and run.digits >= CUED):
        return True
    if clock_times(tokens[run.start : run.end]):
        return False
    # An answer that is nothing but a number: "yes three twenty two eighty five".
    answer = 2 * (run.end - run.start) > len(tokens) and (run.loose >= _LOOSE or (run.singles >= CUED and run.singles == run.digits))
    # Pairs and single digits together: "forty two sixteen ninety nine", "nine oh two ten"; a date of "two eleven fifteen" is less.
    mixed = run.units >= _UNITS and (run.loose > _LOOSE or (run.loose == _LOOSE and run.singles >= _UNITS))
    return answer or mixed or _hundreds(tokens[run.start : run.end]) or run.singles >= _SINGLES or run.loose >= _LONG or run.digits >= _ANY


def _hundreds(words: Sequence[str]) -> bool:
    """Whether hundreds that are not round stand beside one another: "hundred and twenty two four hundred and fifty six" is no amount.

    ("seven hundred and thirty seven eight hundred" is an aircraft.)
    """
    at = [i for i, word in enumerate(words) if word == "hundred"]
    beside = all(after > before + 2 and words[after - 2] not in ("and", "to", "or") for before, after in pairwise(at))
    return len(at) > 1 and beside and "thousand" not in words and at[-1] + 1 < len(words)


def _joined(tokens: Sequence[str], found: Sequence[Run]) -> list[Run]:
    """Numbers that the recogniser broke up: "five to six some no one eight or one or five" is one."""
    joined: list[Run] = []
    group: list[Run] = []
    for run in (*found, None):
        if run is not None and group and _continues(tokens, group[-1], run):
            group.append(run)
            continue
        if len(group) > 1:
            start, end = group[0].start, group[-1].end
            sums = {name: sum(getattr(part, name) for part in group) for name in ("digits", "singles", "loose", "units")}
            whole = replace(group[0], start=start, end=end, **sums)
            thick = whole.singles > _SINGLES and _DENSE * whole.singles >= end - start
            halting = whole.loose >= _LONG and _MAY_GO_ON.issuperset(_between(tokens, group))
            long = whole.singles >= CUED or whole.digits >= _ACCOUNT
            if thick or halting or (long and cue_of(tokens, start, end, strays=_STRAYS) not in (None, "date")):
                joined.append(whole)
        group = [] if run is None else [run]
    return joined


def _between(tokens: Sequence[str], group: Sequence[Run]) -> list[str]:
    """The words between the runs of `group`."""
    return [word for before, after in pairwise(group) for word in tokens[before.end : after.start]]


def _continues(tokens: Sequence[str], before: Run, run: Run) -> bool:
    """Whether `run` may be more of the number `before`: few words between, none of them a unit or the number's public name."""
    gap = tokens[before.end : run.start]
    units = v.UNITS - v.UNSURE_UNITS if before.singles >= _UNITS else v.UNITS
    return len(gap) <= _BROKEN and units.isdisjoint(gap) and v.PUBLIC_NUMBERS.isdisjoint(gap)


def _whole(tokens: Sequence[str], run: Run, *, long: bool) -> tuple[int, int]:
    """Where the number begins and ends, with the digits at its ends that were misheard: "for two one nine or for".

    `long`: one that had its end torn off, rather than another number after it.
    """
    start, end = run.start, run.end
    while end < len(tokens):
        step = 1 + (tokens[end] in v.MISHEARD_FILLERS)
        last = end + step - 1
        if last >= len(tokens) or tokens[last] not in _DIGIT_LIKE or (last + 1 < len(tokens) and tokens[last + 1] in v.UNITS):
            break
        # "to" before something else to say is no digit.
        if tokens[last] in v.HOMOPHONES and last + 1 < len(tokens) and tokens[last + 1] not in _MAY_GO_ON:
            break
        end += step
    if long:
        far = [at for at in range(end, min(end + _TORN, len(tokens))) if tokens[at] in NUMBER_WORDS]
        if far and v.UNITS.isdisjoint(tokens[end : far[-1] + 2]):
            end = far[-1] + 1
    if start > 1 and tokens[start - 1] in v.HOMOPHONES and tokens[start - 2] in v.BEFORE_NUMBERS:
        start -= 1
    return start, end


def cue_of(tokens: Sequence[str], start: int, end: int, *, strays: int = 0) -> str | None:
    """What the words around a number say that it is: a placeholder, or None. `strays` words before it may be ones that link nothing."""
    return _cue_after(tokens[end : end + _AFTER]) or _cue_before(tokens[:start], strays)


def _code_cue(tokens: Sequence[str], run: Run) -> str | None:
    """The label of a number before which a code is told whose letters were misheard: "tax reference you for you to you six seven oh"."""
    begun = next((i for i in range(run.start, max(1, run.start - _CODE_REACH), -1) if tuple(tokens[i - 2 : i]) in v.CODE_CUES), None)
    if begun is None or run.digits < CUED:
        return None
    strange = [word for word in tokens[begun : run.start] if word not in _LIKE_LETTERS]
    return "account" if len(strange) <= _CODE_STRAYS and v.NOT_IN_CODES.isdisjoint(strange) else None


def _cue_after(after: Sequence[str]) -> str | None:
    """What is told after a number: on the back, is my pin."""
    if list(after[:3]) == ["on", "the", "back"]:
        return "password"
    if tuple(after[:2]) in v.NUMBER_IS_MY:
        return next((v.NUMBER_CUES[word] for word in after if word in v.NUMBER_CUES), None)
    return None


def _cue_before(before: Sequence[str], strays: int) -> str | None:
    if list(before[-2:]) in (["o", "box"], ["po", "box"]):
        return "address"
    generic = None
    for at in range(len(before) - 1, max(-1, len(before) - 1 - _CUE_REACH), -1):
        word = before[at]
        if word in v.PUBLIC_NUMBERS:
            return None
        if word == "code" and at and before[at - 1] == "post":
            return "postcode"
        label = v.NUMBER_CUES.get(word)
        if word == "code":
            generic = "password"
        elif label == "number":
            generic = generic or label
        elif label is not None:
            return label
        elif word not in v.CUE_LINKS and not (strays and word in v.HOMOPHONES):
            if not strays:
                break
            strays -= 1
    return generic


def _label(run: Run, cue: str | None) -> str:
    if cue not in (None, "number"):
        return str(cue)
    if run.digits >= _CARD:
        return "card"
    if run.digits >= _PHONE:
        return "phone"
    return "account" if run.digits >= _ACCOUNT else "number"
