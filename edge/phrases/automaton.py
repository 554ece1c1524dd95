"""Many phrases (edge.phrases.pattern) found in a sentence: the one way in which lexicon, causes and agent phrases do it.

Thousands of phrases are one automaton over words, whose states are worked out when a sentence first comes to them: regular expressions
took half a second to compile at every start, and were tried one by one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.phrases.pattern import Element, Pattern
from edge.redaction.number_words import COUNTING


def _words(text: str) -> list[str]:
    return text.split()


# What counts an amount loosely, and only before or among numbers and units: "a couple of weeks", "over an hour".
_LOOSE = _words("a an another couple few several dozen many of and point over nearly almost about")
_NUMBER = COUNTING | frozenset(("half", "quarter", *_LOOSE))
# How many words "~" may stand for.
_GAP = 3
# Sentences come to some thousand states in all; where a site's own phrases make more, they are forgotten and worked out again.
_MANY_STATES = 50_000


class Match(NamedTuple):
    """Pattern `name` covers tokens[start:end]."""

    name: str
    start: int
    end: int


def longest(matches: list[Match]) -> list[Match]:
    """Those of `matches` that do not overlap, the longest chosen first, in the order of the sentence."""
    if len(matches) < 2:  # noqa: PLR2004 (nothing to choose from)
        return matches
    taken: set[int] = set()
    chosen = []
    for match in sorted(matches, key=lambda m: m.start - m.end):
        span = range(match.start, match.end)
        if taken.isdisjoint(span):
            taken.update(span)
            chosen.append(match)
    return sorted(chosen, key=lambda m: m.start)


class _State:
    """Where a sentence stands in all phrases at once."""

    __slots__ = ("begins", "ends", "moves", "nodes", "other")

    def __init__(self, nodes: frozenset[int]) -> None:
        self.nodes = nodes
        # The phrases that end here.
        self.ends = tuple(sorted(-1 - node for node in nodes if node < 0))
        # Where a word leads: None to nowhere; places still to be worked out are frozensets of nodes. `other` is for any other word;
        # where words are known by their beginnings (`begins`), it is worked out for each.
        self.moves: dict[str, _State | frozenset[int] | None] = {}
        self.other: _State | frozenset[int] | None = None
        self.begins: tuple[str, ...] = ()


class PatternIndex:
    """Many patterns, found in one pass over a sentence. What it remembers can be worked out again: safe from any thread."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._names: list[str] = []
        # After a gap a phrase ends where it first can, and takes what may follow at once; without one it takes all that it can.
        self._short: list[bool] = []
        # Of each node the words that lead on (None: any), the beginnings of words that do, and the nodes that they lead to.
        self._words: list[frozenset[str] | None] = []
        self._begins: list[tuple[str, ...]] = []
        self._targets: list[tuple[int, ...]] = []
        first: list[int] = []
        for number, pattern in enumerate(patterns):
            self._names.append(pattern.name)
            self._short.append(any(element.text == "~" for element in pattern.elements))
            nodes: tuple[int, ...] = (-1 - number,)
            for element in reversed(pattern.elements):
                nodes = self._before(element, nodes)
            first += nodes
        self._first = frozenset(first)
        self._states: dict[frozenset[int], _State] = {}
        self._root = self._state(self._first)

    def every(self, tokens: Sequence[str]) -> list[Match]:
        """Each pattern at each position, overlaps included, in the order of the sentence."""
        found: list[Match] = []
        length, root = len(tokens), self._root
        for start, token in enumerate(tokens):
            if token not in root.moves:
                continue
            ends: dict[int, int] = {}
            here, state = start, root
            while here < length:
                after = state.moves.get(tokens[here], state.other)
                if isinstance(after, frozenset):
                    after = self._worked_out(state, tokens[here], after)
                if after is None:
                    break
                here, state = here + 1, after
                for number in state.ends:
                    if ends.get(number, here) >= here - 1 or not self._short[number]:
                        ends[number] = here
            if ends:
                found += [Match(self._names[number], start, end) for number, end in sorted(ends.items())]
        if len(self._states) > _MANY_STATES:
            self._states = {}
            self._root = self._state(self._first)
        return found

    def find(self, tokens: Sequence[str]) -> list[Match]:
        """Matches that do not overlap, the longest chosen first, in the order of the sentence."""
        return longest(self.every(tokens))

    def _before(self, element: Element, after: tuple[int, ...]) -> tuple[int, ...]:
        """New nodes for `element` that lead to the nodes `after`; where a phrase may stand before it."""
        if element.text == "~":
            reached = after
            for _ in range(_GAP):
                reached = (*after, self._node(None, reached))
            return reached
        if element.text == "_":
            node = self._node(None, after)
            return (node, *after) if element.optional else (node,)
        nodes = []
        alone = frozenset([words[0] for words in element.said if len(words) == 1])
        if alone or element.begins:
            nodes.append(self._node(alone, after, element.begins))
        for words in element.said:
            if len(words) > 1:
                reached = after
                for word in reversed(words):
                    reached = (self._node(frozenset((word,)), reached),)
                nodes += reached
        if element.number:
            nodes.append(self._node(_NUMBER, after))
            self._targets[-1] = (*after, nodes[-1])
        return (*nodes, *after) if element.optional else tuple(nodes)

    def _node(self, words: frozenset[str] | None, targets: tuple[int, ...], begins: tuple[str, ...] = ()) -> int:
        self._words.append(words)
        self._begins.append(begins)
        self._targets.append(targets)
        return len(self._words) - 1

    def _worked_out(self, state: _State, word: str, nodes: frozenset[int]) -> _State | None:
        """Where `word` leads from `state`, which is to `nodes` so far as it is known; remembered if it can be."""
        # What other threads may have found meanwhile must not count: only words that begin so are ever added to `moves`.
        begun = word.startswith(state.begins)
        if begun:
            nodes = self._led_to(state, word)
        after = self._state(nodes) if nodes else None
        if begun or word in state.moves:
            state.moves[word] = after
        elif not state.begins:
            state.other = after
        return after

    def _led_to(self, state: _State, word: str) -> frozenset[int]:
        led: set[int] = set()
        for node in state.nodes:
            if node >= 0 and ((words := self._words[node]) is None or word in words or word.startswith(self._begins[node] or ("\0",))):
                led.update(self._targets[node])
        return frozenset(led)

    def _state(self, nodes: frozenset[int]) -> _State:
        state = self._states.get(nodes)
        if state is not None:
            return state
        state = _State(nodes)
        led: dict[str, list[int]] = {}
        anywhere: list[int] = []
        for node in nodes:
            if node < 0:
                continue
            words, targets = self._words[node], self._targets[node]
            if words is None:
                anywhere += targets
            else:
                state.begins += self._begins[node]
                for word in words:
                    led.setdefault(word, []).extend(targets)
        for word, targets_of in led.items():
            begun = state.begins and word.startswith(state.begins)
            state.moves[word] = self._led_to(state, word) if begun else frozenset((*targets_of, *anywhere))
        if anywhere or state.begins:
            state.other = frozenset(anywhere)
        self._states[nodes] = state
        return state
