"""Configured words and phrases found in recognised speech, with how sure and when.

A phrase survives fillers between its words, and from three words on one word that was misheard, dropped or put in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

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
# A misheard word shares half of its letters with the right one ("clothes my account"), or the recogniser doubted it.
_SIMILAR, _DOUBTED = 0.5, 0.8
# One filler inside a phrase is hesitation; after more than this the words no longer belong together.
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

        `confidence` is the mean confidence of the phrase's words; one that was wrong or missing counts 0.
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


def _match(phrase: _Phrase, heard: Sequence[tuple[Word, str]], first: int) -> Spotted | None:
    """The best reading of `phrase` that begins at word `first`, with at most one error; None if there is none."""
    budget = 1 if len(phrase.words) >= _MIN_WORDS_FOR_ERROR else 0
    if not budget and heard[first][1] != phrase.words[0]:
        return None
    # A phrase whose first word was dropped begins with its second: skip says so.
    options = [_follow(phrase.words, heard, first, expected=0, budget=budget)]
    if budget and _droppable(phrase.words, 0):
        options.append(_follow(phrase.words, heard, first, expected=1, budget=0))
    good = [taken for taken in options if taken and _enough(phrase.words, [text for _, text in taken])]
    if not good:
        return None
    best = max(good, key=lambda taken: sum(word.confidence for word, text in taken if text in phrase.words))
    confidence = sum(word.confidence for word, text in best if text in phrase.words) / len(phrase.words)
    return Spotted(keyword=phrase.keyword, confidence=min(1.0, confidence), start=best[0][0].start, end=best[-1][0].end)


def _follow(
    phrase: Sequence[str], heard: Sequence[tuple[Word, str]], position: int, *, expected: int, budget: int
) -> list[tuple[Word, str]] | None:
    """The heard words that read phrase[expected:] from `position` on, with `budget` errors to spend; None if they do not."""
    if expected == len(phrase):
        return []
    fillers = 0
    while (
        position < len(heard)
        and heard[position][1] != phrase[expected]
        and heard[position][1] in _FILLERS
        and expected
        and fillers < _MAX_FILLERS
    ):
        position += 1
        fillers += 1
    if position < len(heard) and heard[position][1] == phrase[expected]:
        rest = _follow(phrase, heard, position + 1, expected=expected + 1, budget=budget)
        if rest is not None:
            return [heard[position], *rest]
    if not budget:
        return None
    tries: list[list[tuple[Word, str]] | None] = []
    if position < len(heard):
        rest = _follow(phrase, heard, position + 1, expected=expected + 1, budget=0)
        if rest is not None and _misheard(phrase, expected, heard[position]):
            tries.append([heard[position], *rest])
        if expected and position + 1 < len(heard):
            tries.append(_follow(phrase, heard, position + 1, expected=expected, budget=0))
    if expected and _droppable(phrase, expected):
        tries.append(_follow(phrase, heard, position, expected=expected + 1, budget=0))
    kept = [taken for taken in tries if taken is not None]
    return max(kept, key=len) if kept else None


def _misheard(phrase: Sequence[str], expected: int, heard: tuple[Word, str]) -> bool:
    """Whether the heard word may be phrase[expected] gone wrong, rather than another thing said."""
    word, text = heard
    similar = SequenceMatcher(None, phrase[expected], text).ratio() >= _SIMILAR
    return similar or word.confidence < _DOUBTED or _droppable(phrase, expected)


def _droppable(phrase: Sequence[str], expected: int) -> bool:
    """Whether the phrase is still itself without that word: a function word, or one content word of three."""
    others = sum(word not in _FUNCTION for i, word in enumerate(phrase) if i != expected)
    return phrase[expected] in _FUNCTION or others > 1


def _enough(phrase: Sequence[str], texts: Sequence[str]) -> bool:
    """At most one word of the phrase is missing, and what is left is not function words only."""
    right = [text for text in texts if text in phrase]
    full = [word for word in phrase if word not in _FUNCTION]
    return len(right) >= len(phrase) - 1 and (not full or any(text in full for text in right))
