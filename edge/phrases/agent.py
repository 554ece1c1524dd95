"""What agents say by script: taken out of what is judged, and a clue to who speaks."""

from functools import cache
from pathlib import Path

import msgspec

from edge.phrases.automaton import PatternIndex
from edge.phrases.pattern import Pattern
from edge.phrases.phrase_file import parse

SHIPPED = Path(__file__).with_name("agent_phrases.yaml")


class AgentPhrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form of agent_phrases.yaml. `answering` is what only somebody says who answers calls."""

    version: str
    answering: tuple[str, ...]
    phrases: tuple[str, ...]


@cache
def agent_phrases() -> AgentPhrases:
    """Those that the box came with."""
    return parse(SHIPPED, AgentPhrases)


@cache
def answering_phrases() -> PatternIndex:
    """Those of people who answer calls, ready to be found."""
    return PatternIndex([Pattern.parse(phrase, {}) for phrase in agent_phrases().answering])
