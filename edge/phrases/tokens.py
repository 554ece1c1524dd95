"""A sentence as a recogniser would write it: lower case, no punctuation, numbers in words."""

import re

from edge.redaction.number_words import ONES, TEENS, TENS


def _words(text: str) -> list[str]:
    return text.split()


# Sounds of somebody who listens, greetings and bare answers: they say nothing of how the customer feels.
BACKCHANNEL = frozenset(
    _words(
        "yes yeah yep yup yah ya no nope nah okay ok alright right sure hello hi hey hiya bye goodbye good-bye um umm uh uhm er erm ah eh "
        "oh mm mmm hm hmm huh mhm aha well so and the a an i it is you speaking please now then yea nay"
    )
)

_WORD = re.compile(r"[a-z0-9][a-z0-9'&-]*")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})  # noqa: RUF001 (typed apostrophes are what is mended)
# The comma in 1,250.
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DIGITS = re.compile(r"\d+")
_BELOW_TWENTY = ("zero", *ONES, *TEENS)
# Longer numbers are said digit by digit, and are identifiers.
_SAID_WHOLE = 4


def tokenize(text: str) -> list[str]:
    """The words of `text`, lower case, digits spelled out."""
    text = text.lower()
    if not text.isascii() or "`" in text:
        text = text.translate(_APOSTROPHES)
    if "," in text:
        text = _THOUSANDS.sub("", text)
    if text.isascii() and not _DIGITS.search(text):
        return _WORD.findall(text)
    tokens: list[str] = []
    for token in _WORD.findall(text):
        tokens.extend(_spell(token) if _DIGITS.search(token) else [token])
    return tokens


def _spell(token: str) -> list[str]:
    """The words of a token that holds digits: 40 is forty, 20mins is twenty mins."""
    words: list[str] = []
    for part in re.findall(r"\d+|[^\d]+", token):
        words.extend(_number(part) if part.isdigit() else _WORD.findall(part))
    return words


def _number(digits: str) -> list[str]:
    if len(digits) > _SAID_WHOLE or (digits[0] == "0" and len(digits) > 1):
        return [_BELOW_TWENTY[int(digit)] for digit in digits]
    number = int(digits)
    words: list[str] = []
    if number >= 1000:  # noqa: PLR2004 (a thousand)
        words += [_BELOW_TWENTY[number // 1000], "thousand"]
        number %= 1000
    if number >= 100:  # noqa: PLR2004 (a hundred)
        words += [_BELOW_TWENTY[number // 100], "hundred"]
        number %= 100
    if number >= 20:  # noqa: PLR2004 (from here on in tens and ones)
        words.append(TENS[number // 10 - 2])
        number %= 10
    if number or not words:
        words.append(_BELOW_TWENTY[number])
    return words
