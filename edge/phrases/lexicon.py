"""The service-call overlay for VADER: rated phrases and words, and how they act on one sentence.

VADER does not know complaints: waiting stated as a fact, counted repeats, threats to leave. The entries are data (`lexicon.yaml`
says the form); a site adds a file of the same form. What an entry has spoken for is masked, so that VADER does not rate it again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge.phrases.agent import agent_phrases
from edge.phrases.automaton import PatternIndex, longest
from edge.phrases.lexicon_file import CATEGORIES, Ratings, read_ratings
from edge.phrases.pattern import Pattern
from edge.values import Signal

FEATURES = ("negative", "positive", "score", "entries", "negated", "but", *CATEGORIES)

# VADER's own constants (Hutto and Gilbert 2014, and its code): squash, negation, and what stands before and after "but".
_ALPHA = 15.0
_NEGATION = -0.74
_BEFORE_BUT, _AFTER_BUT = 0.5, 1.5
# A negator reaches three words, as in VADER, but not over the start of another clause.
_REACH = 3
_NEGATORS = frozenset(
    ("not", "no", "never", "without", "hardly", "don't", "doesn't", "didn't", "isn't", "aren't", "wasn't", "weren't", "haven't", "hasn't",
     "hadn't", "won't", "wouldn't", "can't", "couldn't", "ain't")
)  # fmt: skip
_CLAUSE = frozenset(["and", "but", "so", "because", "when", "while", "if", "that", "which", "then", "or", "why"])
_BOOSTERS = frozenset(["really", "very", "so", "extremely", "absolutely", "totally", "completely", "utterly", "incredibly", "truly"])
# A booster adds VADER's 0.293 to a word of about 2: a seventh.
_BOOST = 1.15
# Praise that opens a sentence in which the rest complains is irony; less negative than this could be an honest mixture.
_IRONY_NEEDS = -1.5
_IRONY_WEIGHT = -1.2
# More entries of one category than this say no more.
_MANY = 3

# The name that all agent phrases share among patterns; no entry has it.
_SCRIPT = ""

_SPELLING = {
    "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "isnt": "isn't", "wasnt": "wasn't", "cant": "can't", "wont": "won't",
    "couldnt": "couldn't", "wouldnt": "wouldn't", "havent": "haven't", "hasnt": "hasn't", "arent": "aren't", "cannot": "can't", "im": "i'm",
    "ive": "i've", "u": "you", "ur": "your", "thx": "thanks", "thankyou": "thanks", "hrs": "hours", "hr": "hour", "mins": "minutes",
    "min": "minute", "pls": "please", "plz": "please", "r": "are", "n't": "not",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A lexicon entry that acted on tokens[start:end], with the weight it had there (-4..4, context applied)."""

    name: str
    category: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What the overlay says of a sentence. `masked` are the token positions that VADER must not rate again."""

    entries: tuple[Entry, ...]
    negative: float
    positive: float
    negated: int
    but: bool
    masked: frozenset[int]

    @property
    def score(self) -> float:
        """The sum of the weights squashed as VADER does, -1..1; 0.0 where nothing acted."""
        total = self.negative + self.positive
        return total / math.sqrt(total * total + _ALPHA)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many entries of each category acted."""
        counts = dict.fromkeys(CATEGORIES, 0)
        for entry in self.entries:
            counts[entry.category] += 1
        return counts

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Those that spoke: mere manners are none."""
        counts = self.counts
        return tuple(signal for signal in Signal if counts.get(signal))

    def features(self) -> tuple[float, ...]:
        """Numbers for a learned combiner, in the order of FEATURES, scaled to about -3..3."""
        sums = (self.negative / 4, self.positive / 4, self.score, min(len(self.entries), 6) / 3, float(self.negated), float(self.but))
        counts = tuple(self.counts.values())
        return sums + (counts if len(self.entries) <= _MANY else tuple(min(n, _MANY) for n in counts))


class Lexicon:
    """The compiled overlay. Immutable after `load`; safe from any thread."""

    def __init__(self, ratings: Ratings, agent: Sequence[str]) -> None:
        """`agent`: what agents say by script."""
        self.version = ratings.version
        # What the site itself rated: no model has learnt it.
        self.own = ratings.own
        self._entries, self._irony = ratings.entries, ratings.irony_openings
        self.words: Mapping[str, float] = {text: weight for text, (weight, _) in ratings.entries.items() if text.isalpha()}
        script = [Pattern.parse(text, ratings.classes)._replace(name=_SCRIPT) for text in agent]
        self._agent = PatternIndex(script)
        # One pass finds both.
        self._index = PatternIndex([*(Pattern.parse(text, ratings.classes) for text in ratings.entries), *script])

    @classmethod
    def load(cls, site: Path | None = None) -> Self:
        """The shipped overlay, with the site's file laid over it. Raises ConfigError naming file, key and remedy."""
        return cls(read_ratings(site), agent_phrases().phrases)

    def explain(self, name: str) -> tuple[float, str, str]:
        """The rating of the entry `name`, who rated it and why."""
        weight, group = self._entries[name]
        return weight, group.rated_by, group.why

    def without_agent(self, tokens: Sequence[str]) -> list[str]:
        """`tokens` less what an agent says by script: on a mixed line those words are not the customer's."""
        spoken: set[int] = set()
        for match in self._agent.find(tokens):
            spoken.update(range(match.start, match.end))
        return [token for position, token in enumerate(tokens) if position not in spoken]

    def script_share(self, tokens: Sequence[str]) -> float:
        """The share of `tokens` that an agent says by script, 0..1."""
        return 1.0 - len(self.without_agent(tokens)) / len(tokens) if tokens else 0.0

    def act(self, tokens: Sequence[str]) -> Acted:
        """Which entries act on lower-case `tokens`, longest match first; agent-script phrases are masked and score nothing."""
        tokens = [_SPELLING.get(token, token) for token in tokens]
        found = self._index.every(tokens)
        script = [match for match in found if match.name == _SCRIPT]
        masked = {position for match in longest(script) for position in range(match.start, match.end)}
        entries: list[Entry] = []
        negated = 0
        last_but = len(tokens) - 1 - tokens[::-1].index("but") if "but" in tokens else -1
        for match in longest([match for match in found if match.name != _SCRIPT] if script else found):
            if not masked.isdisjoint(range(match.start, match.end)):
                continue
            weight, group = self._entries[match.name]
            before = tokens[max(0, match.start - _REACH) : match.start]
            if _negates(before):
                negated += 1
                # "not waiting long" is no praise, only no complaint; "not brilliant" is a complaint.
                weight *= _NEGATION if weight > 0 else 0.0
            elif before and before[-1] in _BOOSTERS:
                weight *= _BOOST
            if last_but >= 0:
                weight *= _AFTER_BUT if match.start > last_but else _BEFORE_BUT
            entries.append(Entry(name=match.name, category=group.category, weight=weight, start=match.start, end=match.end))
        for entry in entries:
            masked.update(range(entry.start, entry.end))
        if not self._irony.isdisjoint(tokens[:2]):
            entries = self._turn_irony(tokens, entries, masked)
        return Acted(
            entries=tuple(entries),
            negative=sum(e.weight for e in entries if e.weight < 0),
            positive=sum(e.weight for e in entries if e.weight > 0),
            negated=negated,
            but=last_but >= 0,
            masked=frozenset(masked),
        )

    def _turn_irony(self, tokens: Sequence[str], entries: list[Entry], masked: set[int]) -> list[Entry]:
        """Praise in the first two words of a complaint is turned: "great another hour on hold"."""
        if sum(e.weight for e in entries if e.weight < 0) > _IRONY_NEEDS:
            return entries
        at = next((i for i, token in enumerate(tokens[:2]) if token in self._irony), None)
        if at is None or any(e.start <= at < e.end and e.weight < 0 for e in entries):
            return entries
        masked.add(at)
        turned = Entry(name=f"irony: {tokens[at]}", category="irony", weight=_IRONY_WEIGHT, start=at, end=at + 1)
        return [turned, *(e for e in entries if not e.start <= at < e.end)]


def _negates(before: Sequence[str]) -> bool:
    """Whether a negator reaches over `before` (the words just before an entry) to what follows it."""
    for distance, word in enumerate(reversed(before)):
        if word in _CLAUSE:
            return False
        # "no" further off is an answer: "no i have been waiting".
        if word in _NEGATORS and (word != "no" or distance == 0):
            return True
    return False
