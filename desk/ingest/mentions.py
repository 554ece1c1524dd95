"""Where people name a customer in their own words: in notes of whichever case, and in what the audit tells of files. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from desk.switchboard.customers import number

# What people type about a case, by its key in an action.
TYPED = ("note", "action")
ERASED = "(erased)"
# A reference of two or three characters is also a word, an amount or a date of somebody else.
_SHORTEST = 4
# What may stand between the digits of a number that somebody typed.
_APART = r"[\s().\-/]*"
# Of a country (E.164).
_LONGEST_CODE = 3
# What remains of a number without its country's code, for it to be one still, and nobody else's.
_SHORTEST_AT_HOME = 6
_ASKED = re.compile(r"customer=(.*?)(?=&|: \d+ rows$|$)")


class Mentions:
    """Finds the `names` of one customer (references, numbers) in text."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name for name in names if name}
        self._numbers = {bare for name in self._names if (bare := number(name))}
        parts = [re.escape(name) for name in self._names if len(name) >= _SHORTEST]
        parts += [way for bare in self._numbers for way in _ways_to_write(bare)]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE) if parts else None

    def without(self, text: str) -> str:
        """`text` with each mention taken out."""
        return text if self._pattern is None else self._pattern.sub(ERASED, text)

    def typed_without(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """An action's `data`, with each mention taken out of what was typed."""
        return {key: self.without(value) if key in TYPED and isinstance(value, str) else value for key, value in data.items()}

    def asked_without(self, detail: str) -> str:
        """What the audit says of a file, without whom it was about."""

        def told(found: re.Match[str]) -> str:
            asked = unquote_plus(found[1]).removeprefix("ref:").removeprefix("tel:")
            about_them = asked in self._names or number(asked) in self._numbers or self.without(asked) == ERASED
            return "customer=erased" if about_them else found[0]

        return _ASKED.sub(told, detail)


def _ways_to_write(bare: str) -> Iterator[str]:
    """Patterns of a number: as it is, with or without its plus; and as it is dialled at home, or from abroad: +44 113, 0113, +44 (0)113."""
    digits = bare.removeprefix("+")
    yield rf"(?:\+|00)?{_APART.join(digits)}"
    if bare.startswith("+"):
        for code in range(1, min(_LONGEST_CODE, len(digits) - _SHORTEST_AT_HOME) + 1):
            abroad = rf"(?:(?:\+|00)?{_APART.join(digits[:code])}{_APART})?"
            yield rf"{abroad}0{_APART}{_APART.join(digits[code:])}"
    elif digits.startswith("0") and len(digits) > _SHORTEST_AT_HOME:
        yield rf"(?:\+|00)(?:{_APART}\d){{1,{_LONGEST_CODE}}}{_APART}0?{_APART}{_APART.join(digits[1:])}"
