"""Phrases with slots, as lexicon, causes and agent phrases write them (found: edge.phrases.automaton).

on hold               these words
call|ring me          one or the other
please? help          an optional word
<number> <unit>       a class: <number> is built in (one or more number words), others are named in the file
cancel*               a word that begins so (not first in a phrase)
waiting _ hours       exactly one word, whatever it is
nobody ~ called       up to three words, whatever they are
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from edge.errors import ConfigError


class Element(NamedTuple):
    """One slot of a phrase: words of which one is said (each a tuple of words), beginnings of words, or nothing but its name.

    `text` is the element as written; "~", "_" and "<number>" among its parts say the rest.
    """

    text: str
    said: tuple[tuple[str, ...], ...] = ()
    begins: tuple[str, ...] = ()
    number: bool = False
    optional: bool = False


class Pattern(NamedTuple):
    """One phrase, checked."""

    name: str
    elements: tuple[Element, ...]

    @classmethod
    def parse(cls, text: str, classes: Mapping[str, Sequence[str]]) -> "Pattern":
        """The phrase `text`. Raises ConfigError that does not know where the phrase stands."""
        elements = tuple(_element(part, classes) for part in text.split())
        for element in elements:
            if not (element.said or element.number) or element.begins:
                raise ConfigError(f"begins with '{element.text}'", remedy="begin with a word or a class")
            if not element.optional:
                return cls(text, elements)
        raise ConfigError("holds no word that must be there", remedy="give at least one")


def _element(text: str, classes: Mapping[str, Sequence[str]]) -> Element:
    """One element of a phrase. Raises ConfigError."""
    if "<" not in text:
        return _plain(text)
    bodies = text.removesuffix("?").split("|")
    said: tuple[tuple[str, ...], ...] = ()
    begins: tuple[str, ...] = ()
    for body in bodies:
        if body.startswith("<"):
            said += _split(_members(body, classes)) if body != "<number>" else ()
        else:
            part = _plain(body)
            said += part.said
            begins += part.begins
    return Element(text, said, begins, number="<number>" in bodies, optional=text.endswith("?"))


@lru_cache(maxsize=4096)
def _plain(text: str) -> Element:
    """An element without a class."""
    if text.removesuffix("?") in ("~", "_"):
        return Element(text.removesuffix("?"), optional=text.endswith("?"))
    said, begins = [], []
    for part in text.removesuffix("?").split("|"):
        if not re.fullmatch(r"[a-z0-9'&-]+\*?", part):
            raise ConfigError(f"'{part}' is no lower-case word, <class>, ~ or _", remedy="write words as spoken, numbers in words")
        if part.endswith("*"):
            begins.append(part.removesuffix("*"))
        else:
            said.append((part,))
    return Element(text, tuple(said), tuple(begins), optional=text.endswith("?"))


@lru_cache(maxsize=256)
def _split(members: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(member.split()) for member in members)


def _members(element: str, classes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    members = classes.get(element.strip("<>"))
    if members is None:
        known = ", ".join(f"<{name}>" for name in ("number", *classes))
        raise ConfigError(f"unknown class {element}", remedy=f"known classes: {known}")
    return tuple(members)
