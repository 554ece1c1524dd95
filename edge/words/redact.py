"""Who a customer is does not leave the branch: cards, accounts, phones, e-mail, names, births, addresses, postcodes, secrets are hidden.

Works on words as a recogniser writes them ("double oh seven", "john dot smith at gmail dot com") and on written ones. It errs on the
side of hiding; amounts, durations, times and flight numbers stay.
"""

import re
from collections.abc import Sequence

from edge.words import vocabulary as v
from edge.words.identities import Marks, addresses, births, dates, emails, mark, secrets
from edge.words.names import names
from edge.words.spoken import STARTS, Run, runs

# A card has 13 to 19 digits (ISO/IEC 7812), a phone number up to 15 with its country (E.164), in practice 9 to 12; an account 6 to 9.
_CARD, _PHONE, _ACCOUNT = 13, 10, 6
# Four digits one by one are a PIN, an extension, the end of a card; three may be "one two three". Three pairs are part of a number.
_SINGLES, _UNITS, _LOOSE = 4, 3, 5
# Ten digits in any manner are nobody's amount.
_ANY = 10
# A number before "pounds" or "minutes" is an amount unless it is as long as no amount is.
_LONG = 7
# Words that a recogniser may put between two digits of a number ("er" becomes "or", "oh" "no"), and how thin it may get by them.
_BROKEN, _DENSE = 3, 2
# How far a cue reaches over linking words to its number.
_CUE_REACH = 7

_EDGES = '.,!?;:"\u201c\u201d()[]'
_NUMBER_TRIGGERS = STARTS
_WRITTEN = re.compile(r"\d")
# "ls1", "4dp", "jd0002345": letters and digits in one written word.
_MIXED = re.compile(r"^(?=.*\d)(?=.*[a-z])[a-z0-9-]{2,}$")
_SPELL_FILLERS = frozenset(["um", "uh", "er", "erm", "space", "dash", "hyphen"])
# With a cue ("ends in") three digits are enough; without one a code has five letters and digits, a spelled name four letters.
_CUED, _CODE, _LETTERS = 3, 5, 4
_WORD_TRIGGERS = (
    v.SECRET_CUES | v.SPELLING_WORDS | v.STREETS | v.OTHER_STREETS | v.ADDRESS_CUES | v.NAME_CUES | v.TITLES | v.LIKELY_CUES
    | frozenset({cue for pair in v.SECRET_PAIRS for cue in pair} | {cue + "'s" for cue in v.SECRET_CUES | v.NAME_CUES})
    | frozenset(("at", "@", "speaking", "spoke", "spoken", "talking", "talked", "miss", "called", "this"))
    | frozenset(("born", "birth", "dob", "birthday", "birthdate"))
)  # fmt: skip


def redact(text: str) -> str:
    """`text` with what identifies somebody replaced by a placeholder that says what it was.

    Placeholders: [card], [account], [phone], [email], [name], [date], [address], [postcode], [password], [number]. Any string goes in;
    the words that stay are unchanged, white space becomes single spaces. About 50 microseconds a sentence.
    """
    written = text.split()
    tokens = [word.lower().replace("\u2019", "'").strip(_EDGES) or word for word in written]
    known = set(tokens)
    numeric = not known.isdisjoint(_NUMBER_TRIGGERS) or _WRITTEN.search(text) is not None
    worded = not known.isdisjoint(_WORD_TRIGGERS) or "@" in text
    spelled = sum(len(token) == 1 for token in tokens) > 1
    if not (numeric or worded or spelled):
        return " ".join(written)
    marks: Marks = [""] * len(tokens)
    found = runs(tokens) if numeric else []
    if worded:
        emails(tokens, marks)
        secrets(tokens, marks)
        births(tokens, marks)
        addresses(tokens, marks, found)
        names(tokens, marks)
    if worded or spelled or numeric:
        _spelled(tokens, marks)
    dates(tokens, marks, found)
    _broken_up(tokens, marks, found)
    _numbers(tokens, marks, found)
    shown: list[str] = []
    for position, word in enumerate(written):
        if not marks[position]:
            shown.append(word)
        elif position == 0 or marks[position - 1] != marks[position]:
            shown.append(f"[{marks[position]}]")
    return " ".join(shown)


def _numbers(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    for run in found:
        cue = _cue(tokens, run.start, run.end)
        amount = run.end < len(tokens) and tokens[run.end] in v.UNITS
        # An answer that is nothing but a number: "yes three twenty two eighty five".
        answer = run.loose >= _LOOSE and 2 * (run.end - run.start) > len(tokens)
        if amount:
            hidden = run.loose >= _LONG
        else:
            long = run.singles >= _SINGLES or _mixed(run) or run.loose >= _LONG or run.digits >= _ANY
            hidden = long or answer or (cue is not None and run.digits >= (2 if cue == "password" else _CUED))
        if hidden:
            mark(marks, run.start, run.end, _label(run, cue))


def _broken_up(tokens: Sequence[str], marks: Marks, found: Sequence[Run]) -> None:
    """Numbers said digit by digit that the recogniser broke up: "five to six some no one eight or one or five" is one number."""
    group: list[Run] = []
    for run in (*found, None):
        if run is not None and group and _continues(tokens, group[-1], run):
            group.append(run)
            continue
        singles = sum(part.singles for part in group)
        if len(group) > 1 and singles > _SINGLES and _DENSE * singles >= group[-1].end - group[0].start:
            whole = Run(
                start=group[0].start,
                end=group[-1].end,
                digits=sum(part.digits for part in group),
                singles=singles,
                loose=sum(part.loose for part in group),
                units=sum(part.units for part in group),
            )
            mark(marks, whole.start, whole.end, _label(whole, _cue(tokens, whole.start, whole.end)))
        group = [] if run is None else [run]


def _continues(tokens: Sequence[str], before: Run, run: Run) -> bool:
    """Whether `run` may be more of the number `before`: few words between, none of them a unit or the number's public name."""
    gap = tokens[before.end : run.start]
    return len(gap) <= _BROKEN and v.UNITS.isdisjoint(gap) and v.PUBLIC_NUMBERS.isdisjoint(gap)


def _mixed(run: Run) -> bool:
    """Pairs and single digits together: "forty two sixteen ninety nine", "nine oh two ten"; a date of "two eleven fifteen" is less."""
    return run.units >= _UNITS and (run.loose > _LOOSE or (run.loose == _LOOSE and run.singles >= _UNITS))


def _cue(tokens: Sequence[str], start: int, end: int) -> str | None:
    """What the words around a number say that it is: a placeholder, or None."""
    if list(tokens[end : end + 3]) == ["on", "the", "back"]:
        return "password"
    if start > 1 and list(tokens[start - 2 : start]) in (["o", "box"], ["po", "box"]):
        return "address"
    generic = None
    for position in range(start - 1, max(-1, start - 1 - _CUE_REACH), -1):
        word = tokens[position]
        if word in v.PUBLIC_NUMBERS:
            return None
        label = v.NUMBER_CUES.get(word)
        if word == "code":
            generic = "password"
        elif label == "number":
            generic = generic or label
        elif label is not None:
            return label
        elif word not in v.CUE_LINKS:
            break
    return generic


def _label(run: Run, cue: str | None) -> str:
    if cue not in (None, "number"):
        return str(cue)
    if run.digits >= _CARD:
        return "card"
    if run.digits >= _PHONE:
        return "phone"
    return "account" if run.digits >= _ACCOUNT else "number"


def _spelled(tokens: Sequence[str], marks: Marks) -> None:
    """Letters and digits said one by one: postcodes, references, names spelled out."""
    position = 0
    while position < len(tokens):
        start = position
        letters = digits = 0
        while position < len(tokens) and (kind := _symbol(tokens[position])):
            word = tokens[position]
            letters += sum(map(str.isalpha, word)) if kind == "both" else kind == "letter"
            digits += sum(map(str.isdigit, word)) if kind == "both" else kind == "digit"
            # "s for sugar" is one letter.
            position += 3 if kind == "letter" and tokens[position + 1 : position + 2] == ["for"] else 1
        position = min(position, len(tokens))
        end = position
        position += end == start
        if end == start or not (letters or digits):
            continue
        while tokens[end - 1] in v.FILLERS:
            end -= 1
        cue = _cue(tokens, start, end)
        code = letters and digits and letters + digits >= _CODE
        if cue == "postcode" or (code and letters > 1 and digits > 1):
            mark(marks, start, end, cue if cue not in (None, "number") else "postcode")
        elif cue is not None and letters and letters + digits >= _CUED:
            mark(marks, start, end, cue)
        elif letters >= _LETTERS and not digits:
            mark(marks, start, end, "name")


def _symbol(token: str) -> str:
    """Whether `token` is a "letter", a "digit", "both" ("ls1", "4dp") or a "filler" in something spelled out; "" if none."""
    if token in v.LETTERS or token in v.SPELLING_WORDS:
        return "letter"
    if token in STARTS or token.isdigit():
        return "digit"
    if token in _SPELL_FILLERS:
        return "filler"
    return "both" if _MIXED.match(token) else ""
