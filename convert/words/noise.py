"""Word errors as Vosk really makes them, learnt from spoken rows, to be made in rows that were not spoken."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

# A word's own error rate counts against the general one as if it had been seen this often more.
_SHRINK = 3.0
# Of all errors on words whose own errors are not known, this share is dropped words; the rest sound alike (measured on 455 rows).
_DROPPED = 0.06
# How many like-sounding words stand in for a misheard one.
_NEIGHBOURS = 6


class WordErrors:
    """What became of each word: learnt from (said, heard) pairs of sentences."""

    def __init__(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        self._seen: Counter[str] = Counter()
        self._wrong: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        vocabulary: Counter[str] = Counter()
        for said, heard in pairs:
            vocabulary.update(heard)
            for word, became in align(said, heard):
                self._seen[word] += 1
                if became != (word,):
                    self._wrong[word].append(became)
        self.rate = sum(map(len, self._wrong.values())) / max(1, self._seen.total())
        self._by_letters: defaultdict[str, list[str]] = defaultdict(list)
        self._letters = {word: _letters(word) for word in vocabulary}
        for word, letters in self._letters.items():
            for pair in letters:
                self._by_letters[pair].append(word)
        self._like: dict[str, list[str]] = {}

    def corrupt(self, tokens: Sequence[str], chance: random.Random, *, strength: float = 1.0) -> list[str]:
        """`tokens` as they might be heard; `strength` scales the error rate."""
        heard: list[str] = []
        for token in tokens:
            wrong = self._wrong.get(token, [])
            rate = (len(wrong) + _SHRINK * self.rate) / (self._seen[token] + _SHRINK)
            if chance.random() >= rate * strength:
                heard.append(token)
            elif wrong and chance.random() < len(wrong) / (len(wrong) + 1):
                heard.extend(chance.choice(wrong))
            elif chance.random() >= _DROPPED:
                heard.append(chance.choice(self._neighbours(token)))
        return heard

    def _neighbours(self, word: str) -> list[str]:
        """Words that Vosk has written and that share most letter pairs with `word`."""
        if word not in self._like:
            letters = _letters(word)
            shared = Counter(other for pair in letters for other in self._by_letters[pair] if other != word)
            ranked = sorted(shared, key=lambda other: (-shared[other] / len(letters | self._letters[other]), other))
            self._like[word] = ranked[:_NEIGHBOURS] or ["the"]
        return self._like[word]


def align(said: Sequence[str], heard: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each word of `said` with the words of `heard` that it became, by least edits; inserted words go to the word before them."""
    costs = [[i + j for j in range(len(heard) + 1)] if i == 0 else [i, *([0] * len(heard))] for i in range(len(said) + 1)]
    for i, a in enumerate(said, 1):
        for j, b in enumerate(heard, 1):
            costs[i][j] = min(costs[i - 1][j - 1] + (a != b), costs[i - 1][j] + 1, costs[i][j - 1] + 1)
    became: list[list[str]] = [[] for _ in said]
    i, j = len(said), len(heard)
    while i and j:
        if costs[i][j] == costs[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            became[i].insert(0, heard[j])
        elif costs[i][j] == costs[i][j - 1] + 1:
            j -= 1
            became[i - 1].insert(0, heard[j])
        else:
            i -= 1
    if said:
        became[0][:0] = heard[:j]
    return [(word, tuple(words)) for word, words in zip(said, became, strict=True)]


def _letters(word: str) -> frozenset[str]:
    """Letter pairs, edges marked, with some spellings of one sound made one."""
    for spelling, sound in (("'", ""), ("ph", "f"), ("ck", "k"), ("c", "k"), ("z", "s"), ("ee", "i"), ("y", "i")):
        word = word.replace(spelling, sound)
    edged = f"^{word}$"
    return frozenset(edged[at : at + 2] for at in range(len(edged) - 1))
