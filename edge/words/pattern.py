"""Phrases with slots, compiled: the one way in which lexicon, causes and agent phrases find words in a sentence.

on hold               these words
call|ring me          one or the other
please? help          an optional word
<number> <unit>       a class: <number> is built in (one or more number words), others are named in the file
cancel*               a word that begins so (not first in a phrase)
waiting _ hours       exactly one word, whatever it is
nobody ~ called       up to three words, whatever they are
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NUMBER_WORDS = [
    "zero",
    "oh",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "half",
    "quarter",
]
# What counts an amount loosely, and only before or among numbers and units: "a couple of weeks", "over an hour".
_LOOSE = ["a", "an", "another", "couple", "few", "several", "dozen", "many", "of", "and", "point", "over", "nearly", "almost", "about"]

# A number as spoken is up to nine words long ("two thousand four hundred and ninety five" is seven).
_NUMBER = f"(?:(?:{'|'.join(NUMBER_WORDS + _LOOSE)}) ){{1,9}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Pattern `name` covers tokens[start:end]."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One compiled phrase; `firsts` are the words that it can begin with."""

    name: str
    regex: re.Pattern[str]
    firsts: frozenset[str]

    @classmethod
    def parse(cls, text: str, classes: Mapping[str, Sequence[str]]) -> "Pattern":
        """Compile `text`. Raises ValueError saying what to change."""
        source, firsts, open_start = "", set[str](), True
        for element in text.split():
            optional = element.endswith("?")
            body, words = _element(element.removesuffix("?"), classes)
            source += f"(?:{body})?" if optional else body
            if open_start:
                if not words:
                    raise ValueError(f"begins with '{element}'; begin with a word or a class")
                firsts |= words
                open_start = optional
        if open_start:
            raise ValueError("holds no word that must be there; give at least one")
        return cls(name=text, regex=re.compile(source), firsts=frozenset(firsts))


class PatternIndex:
    """Many patterns, found in one pass over a sentence: only those that begin with a word of it are tried."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._by_first: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            for word in pattern.firsts:
                self._by_first.setdefault(word, []).append(pattern)

    def every(self, tokens: Sequence[str]) -> list[Match]:
        """Each match at each position, overlaps included, in the order of the sentence."""
        sentence = " ".join(tokens) + " "
        at: dict[int, int] = {}
        offset = 0
        for position, token in enumerate(tokens):
            at[offset] = position
            offset += len(token) + 1
        at[offset] = len(tokens)
        found = []
        for offset, position in at.items():
            for pattern in self._by_first.get(tokens[position], ()) if position < len(tokens) else ():
                match = pattern.regex.match(sentence, offset)
                if match:
                    found.append(Match(name=pattern.name, start=position, end=at[match.end()]))
        return found

    def find(self, tokens: Sequence[str]) -> list[Match]:
        """Matches that do not overlap, the longest chosen first, in the order of the sentence."""
        every = self.every(tokens)
        if not every:
            return every
        taken: set[int] = set()
        chosen = []
        for match in sorted(every, key=lambda m: m.start - m.end):
            span = range(match.start, match.end)
            if taken.isdisjoint(span):
                taken.update(span)
                chosen.append(match)
        return sorted(chosen, key=lambda m: m.start)


def _element(element: str, classes: Mapping[str, Sequence[str]]) -> tuple[str, set[str]]:
    """The regular expression of one element (each word with the space after it) and the words it can begin with."""
    if element == "~":
        return r"(?:[^ ]+ ){0,3}?", set()
    if element == "_":
        return r"[^ ]+ ", set()
    bodies: list[str] = []
    firsts: set[str] = set()
    starred = False
    for part in element.split("|"):
        if part == "<number>":
            bodies.append(_NUMBER)
            firsts.update(NUMBER_WORDS, _LOOSE)
        elif part.startswith("<"):
            members = _members(part, classes)
            # Longest first: a regular expression takes the first alternative that fits.
            bodies.extend(re.escape(member) + " " for member in sorted(members, key=len, reverse=True))
            firsts.update(member.split()[0] for member in members)
        elif re.fullmatch(r"[a-z0-9'&-]+\*?", part):
            bodies.append(re.escape(part.removesuffix("*")) + ("[^ ]* " if part.endswith("*") else " "))
            firsts.add(part)
            starred |= part.endswith("*")
        else:
            raise ValueError(f"'{part}' is no lower-case word, <class>, ~ or _; write words as spoken, numbers in words")
    return f"(?:{'|'.join(bodies)})", set() if starred else firsts


def _members(element: str, classes: Mapping[str, Sequence[str]]) -> Sequence[str]:
    members = classes.get(element.strip("<>"))
    if members is None:
        raise ValueError(f"unknown class {element}; known classes: {', '.join(f'<{name}>' for name in ('number', *classes))}")
    return members
