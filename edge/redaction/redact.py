"""Who a customer is does not leave the branch: cards, accounts, phones, e-mail, names, births, addresses, postcodes, secrets are hidden.

Works on words as a recogniser writes them ("double oh seven", "john dot smith at gmail dot com") and on written ones. It errs on the
side of hiding; amounts, durations, times and flight numbers stay.
"""

import re
from collections.abc import Sequence

from edge.redaction import vocabulary as v
from edge.redaction.dates import births, dates
from edge.redaction.known import GIVEN, ORDINARY
from edge.redaction.mail import emails, webs
from edge.redaction.marks import Marks, mark
from edge.redaction.names import names
from edge.redaction.numbers import CUED, cue_of, numbers
from edge.redaction.places import addresses
from edge.redaction.secrets import secrets
from edge.redaction.spoken_numbers import STARTS, runs

_EDGES = '.,!?;:"\u201c\u201d()[]'
_NUMBER_TRIGGERS = STARTS
_WRITTEN = re.compile(r"\d")
# "ls1", "4dp", "jd0002345": letters and digits in one written word.
_MIXED = re.compile(r"^(?=.*\d)(?=.*[a-z])[a-z0-9-]{2,}$")
_SPELL_FILLERS = frozenset(["um", "uh", "er", "erm", "space", "dash", "hyphen"])
# Words of two consonants that spell nothing.
_VOWELS, _SHORT_WORDS = frozenset("aeiouy"), v.FILLERS | v.TITLES | v.STREETS | v.UNITS | ORDINARY
_SYMBOLS = v.LETTERS | v.SPELLING_WORDS | STARTS | _SPELL_FILLERS
# Without a cue a code has five letters and digits, a spelled name four letters.
_CODE, _LETTERS = 5, 4
# "flight is b a one two three", "gate number c seven": so far before it stands what everybody knows.
_PUBLIC_REACH = 3
_WORD_TRIGGERS = (
    v.SECRET_CUES | v.SPELLING_WORDS | v.STREETS | v.OTHER_STREETS | v.ADDRESS_CUES | v.NAME_CUES | v.TITLES | v.LIKELY_CUES
    | v.MAIL_CUES | v.HOMES | v.HOUSES | v.UNSURE_TITLES | v.OWNERS | v.OWNER_WORDS | v.CHOSEN_OF | v.ANNOUNCING | v.NAME_SIGNS | v.SELF
    | frozenset(word for _, word in v.OWNER_PAIRS if word not in ("to", "of", "as", "out"))
    | frozenset(("registered", "listed", "addressed", "belongs", "made", "billed", "behalf", "spelled", "down", "known", "dot", "answer"))
    | frozenset({cue for pair in v.SECRET_PAIRS for cue in pair} | {cue + "'s" for cue in v.SECRET_CUES | v.NAME_CUES})
    | frozenset(("at", "@", "speaking", "spoke", "spoken", "talking", "talked", "miss", "called", "this"))
    | frozenset(("born", "birth", "dob", "birthday", "birthdate", "send", "deliver", "ship", "post", "underscore"))
)  # fmt: skip


def redact(text: str) -> str:
    """`text` with what identifies somebody replaced by a placeholder that says what it was.

    Placeholders: [card], [account], [phone], [email], [website], [name], [date], [address], [postcode], [password], [number]. Any string
    goes in; the words that stay are unchanged, white space becomes single spaces. About 50 microseconds a sentence.
    """
    written = text.split()
    tokens = [word.strip(_EDGES) or word for word in text.lower().replace("\u2019", "'").split()]
    known = set(tokens)
    numeric = not known.isdisjoint(_NUMBER_TRIGGERS) or _WRITTEN.search(text) is not None
    worded = not known.isdisjoint(_WORD_TRIGGERS) or "@" in text or not GIVEN.isdisjoint(known)
    spelled = sum(len(token) == 1 for token in tokens) > 1
    if not (numeric or worded or spelled):
        return " ".join(written)
    marks: Marks = [""] * len(tokens)
    found = runs(tokens) if numeric else []
    if worded:
        emails(tokens, marks)
        webs(tokens, marks)
        secrets(tokens, marks)
        births(tokens, marks)
        addresses(tokens, marks, found)
        names(tokens, marks)
    if worded or spelled or numeric:
        _spelled(tokens, marks)
    dates(tokens, marks, found)
    numbers(tokens, marks, found)
    shown: list[str] = []
    for position, word in enumerate(written):
        if not marks[position]:
            shown.append(word)
        elif position == 0 or marks[position - 1] != marks[position]:
            shown.append(f"[{marks[position]}]")
    return " ".join(shown)


def _spelled(tokens: Sequence[str], marks: Marks) -> None:
    """Letters and digits said one by one: postcodes, references, names spelled out."""
    position = 0
    while position < len(tokens):
        if tokens[position].isalpha() and tokens[position] not in _SYMBOLS and not _two_letters(tokens[position]):
            position += 1
            continue
        start = position
        letters = digits = 0
        while position < len(tokens) and (kind := _symbol(tokens[position])):
            word = tokens[position]
            letters += sum(map(str.isalpha, word)) if kind == "both" else kind == "letter"
            digits += sum(map(str.isdigit, word)) if kind == "both" else kind == "digit"
            position += _letter_length(tokens, position) if kind == "letter" else 1
        position = min(position, len(tokens))
        end = position
        position += end == start
        if end == start or not (letters or digits) or not v.PUBLIC_NUMBERS.isdisjoint(tokens[max(0, start - _PUBLIC_REACH) : start]):
            continue
        while tokens[end - 1] in v.FILLERS:
            end -= 1
        cue = cue_of(tokens, start, end)
        code = letters and digits and letters + digits >= _CODE
        if cue == "postcode" or (code and letters > 1 and digits > 1):
            mark(marks, start, end, cue if cue not in (None, "number") else "postcode")
        elif cue is not None and letters and letters + digits >= CUED:
            mark(marks, start, end, cue)
        elif letters >= _LETTERS and not digits:
            mark(marks, start, end, "name")


def _letter_length(tokens: Sequence[str], position: int) -> int:
    """How many words say the letter at `position`: "s for sugar" and "s as in sam" are one letter."""
    following = tokens[position + 1 : position + 3]
    if following == ["as", "in"]:
        return 4
    return 3 if following[:1] in (["for"], ["like"]) else 1


def _two_letters(token: str) -> bool:
    """Whether a recogniser wrote two letters in one word: "five l lj"."""
    return len(token) == 2 and token.isalpha() and _VOWELS.isdisjoint(token) and token not in _SHORT_WORDS  # noqa: PLR2004 (two)


def _symbol(token: str) -> str:
    """Whether `token` is a "letter", a "digit", "both" ("ls1", "4dp") or a "filler" in something spelled out; "" if none."""
    if token in v.LETTERS or token in v.SPELLING_WORDS or _two_letters(token):
        return "letter"
    if token in STARTS or token.isdigit():
        return "digit"
    if token in _SPELL_FILLERS:
        return "filler"
    return "both" if not token.isalpha() and _MIXED.match(token) else ""
