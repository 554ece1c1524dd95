"""Configured words and phrases found in recognised speech, with how sure and when.

A phrase survives fillers between its words, and from three words on what a recogniser does to it: one word of content wrong, or
function words swallowed, or another form of a word.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from edge.config import KeywordConfig
from edge.values import Spotted, Word

_FILLERS = frozenset(("um", "uh", "uhm", "er", "erm", "ah", "eh", "hmm", "hm", "mm", "mmm", "like", "so", "well"))
# Words so common that they find nothing on their own: one of them may be wrong, and they alone make no match.
_FUNCTION = frozenset(
    ("a", "an", "the", "to", "of", "in", "on", "at", "for", "with", "from", "by", "my", "your", "our", "their", "his", "her", "its",
     "this", "that", "it", "i", "you", "we", "they", "me", "us", "is", "are", "was", "were", "be", "am", "been", "do", "does", "did",
     "have", "has", "had", "will", "would", "can", "could", "and", "or", "but", "not", "no", "so", "up", "out", "off", "as", "if")
)  # fmt: skip
# One wrong word in two would find anything.
_MIN_WORDS_FOR_ERROR = 3
# What goes wrong costs so much; a phrase is found at this much in all. A function word is swallowed more often than it is said.
_BUDGET = 1.5
_WRONG, _NEAR, _FUNCTION_WRONG, _EXTRA = 1.25, 0.5, 0.5, 1.25
# A misheard word shares half of its letters with the right one ("clothes my account"), or a third and the recogniser doubted it.
_SIMILAR, _SIMILAR_DOUBTED, _DOUBTED = 0.5, 0.33, 0.8
# A near one is the same word in another form ("manage" for "manager", "canceled" for "cancel"): as many letters of its head, and in all.
_HEAD, _ALIKE = 4, 0.8
# Hesitation inside a phrase; after more than this the words no longer belong together.
_MAX_FILLERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phrase:
    keyword: str
    words: tuple[str, ...]


class KeywordSpotter:
    """The configured keywords, ready to be found. Immutable; safe from any thread."""

    def __init__(self, keywords: Sequence[KeywordConfig]) -> None:
        self._phrases = tuple(
            _Phrase(keyword=keyword.name, words=tuple(phrase.lower().split())) for keyword in keywords for phrase in keyword.phrases
        )

    def spot(self, words: Sequence[Word]) -> tuple[Spotted, ...]:
        """Each keyword where it was heard, best match first where several phrases of it overlap, in the order of time.

        `confidence` is the mean confidence of the phrase's words; one that was wrong or missing counts 0, another form of it a half.
        """
        if not self._phrases:
            return ()
        heard = [(word, word.text.lower()) for word in words]
        found: list[Spotted] = []
        for phrase in self._phrases:
            if not phrase.words or not {text for _, text in heard} & set(phrase.words):
                continue
            for first in range(len(heard)):
                spotted = _match(phrase, heard, first)
                if spotted is not None:
                    found.append(spotted)
        chosen: list[Spotted] = []
        for spotted in sorted(found, key=lambda s: (-s.confidence, s.start)):
            if not any(s.keyword == spotted.keyword and s.start < spotted.end and spotted.start < s.end for s in chosen):
                chosen.append(spotted)
        return tuple(sorted(chosen, key=lambda s: (s.start, s.keyword)))


class _Reading(NamedTuple):
    """How heard words read the rest of a phrase: what went wrong, the confidence of what was right, and the places of the words used."""

    cost: float
    sure: float
    right: int
    places: tuple[int, ...]


def _match(phrase: _Phrase, heard: Sequence[tuple[Word, str]], first: int) -> Spotted | None:
    """The best reading of `phrase` that begins at word `first`; None if there is none."""
    budget = _BUDGET if len(phrase.words) >= _MIN_WORDS_FOR_ERROR else 0.0
    if not budget and heard[first][1] != phrase.words[0]:
        return None
    reading = _follow(phrase.words, heard, first, expected=0, budget=budget)
    # A word of content must have been heard as it is, or the phrase has none.
    if reading is None or not reading.places or not (reading.right or _FUNCTION.issuperset(phrase.words)):
        return None
    start, end = heard[reading.places[0]][0].start, heard[reading.places[-1]][0].end
    return Spotted(keyword=phrase.keyword, confidence=min(1.0, reading.sure / len(phrase.words)), start=start, end=end)


def _follow(phrase: Sequence[str], heard: Sequence[tuple[Word, str]], at: int, *, expected: int, budget: float) -> _Reading | None:
    """The cheapest, then surest way in which the words from `at` on read phrase[expected:] for at most `budget`; None if there is none."""
    if expected == len(phrase):
        return _Reading(0.0, 0.0, 0, ())
    if expected:
        here = at
        while at < len(heard) and at - here < _MAX_FILLERS and heard[at][1] in _FILLERS and heard[at][1] != phrase[expected]:
            at += 1
    ways: list[_Reading] = []
    if at < len(heard):
        word, text = heard[at]
        cost, share = _said(phrase, expected, word, text)
        if cost <= budget:
            rest = _follow(phrase, heard, at + 1, expected=expected + 1, budget=budget - cost)
            if rest is not None:
                right = rest.right + (text == phrase[expected] and text not in _FUNCTION)
                ways.append(_Reading(rest.cost + cost, rest.sure + share * word.confidence, right, (at, *rest.places)))
        if expected and budget >= _EXTRA and (rest := _follow(phrase, heard, at + 1, expected=expected, budget=budget - _EXTRA)):
            ways.append(rest._replace(cost=rest.cost + _EXTRA))
    missing = _missing(phrase, expected)
    if missing <= budget and (rest := _follow(phrase, heard, at, expected=expected + 1, budget=budget - missing)):
        ways.append(rest._replace(cost=rest.cost + missing))
    return min(ways, key=lambda way: (way.cost, -way.sure), default=None)


def _said(phrase: Sequence[str], expected: int, word: Word, text: str) -> tuple[float, float]:
    """What it costs that `text` was heard where phrase[expected] should be, and which share of its confidence counts."""
    wanted = phrase[expected]
    if text == wanted:
        return 0.0, 1.0
    if wanted in _FUNCTION:
        return _FUNCTION_WRONG, 0.0
    alike = SequenceMatcher(None, wanted, text).ratio()
    if text[:_HEAD] == wanted[:_HEAD] and alike >= _ALIKE:
        return _NEAR, 0.5
    if alike >= (_SIMILAR_DOUBTED if word.confidence < _DOUBTED else _SIMILAR) or _missing(phrase, expected) <= _BUDGET:
        return _WRONG, 0.0
    return math.inf, 0.0


def _missing(phrase: Sequence[str], expected: int) -> float:
    """What it costs that phrase[expected] was not heard: without its one word of content, or one of two, it is another phrase."""
    if phrase[expected] in _FUNCTION:
        return _FUNCTION_WRONG
    return _WRONG if sum(word not in _FUNCTION for word in phrase) > 2 else math.inf  # noqa: PLR2004 (said above)
