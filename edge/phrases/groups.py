"""Groups of phrases that rules ask for by name, whatever the sentiment of what was said."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge.phrases.automaton import PatternIndex
from edge.phrases.pattern import Pattern
from edge.phrases.phrase_file import parse
from edge.values import Signal

SHIPPED = Path(__file__).with_name("groups.yaml")


class _GroupFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    groups: dict[Signal, list[str]]
    classes: dict[str, list[str]] = {}


class PhraseGroups:
    """The shipped groups, ready to be found. Immutable; safe from any thread."""

    def __init__(self, groups: _GroupFile) -> None:
        self.names = tuple(groups.groups)
        self._group_of: dict[str, Signal] = {}
        patterns = []
        for name, phrases in groups.groups.items():
            for phrase in phrases:
                patterns.append(Pattern.parse(phrase, groups.classes))
                self._group_of[phrase] = name
        self._index = PatternIndex(patterns)

    @classmethod
    def load(cls) -> "PhraseGroups":
        """Those that the box came with."""
        return cls(parse(SHIPPED, _GroupFile))

    def heard(self, tokens: Sequence[str]) -> tuple[Signal, ...]:
        """The names of the groups of which a phrase is in lower-case `tokens`, in the order of the file."""
        found = {self._group_of[match.name] for match in self._index.every(tokens)}
        return tuple(name for name in self.names if name in found)
