"""A small n-gram model of a text: interpolated Kneser-Ney (Chen and Goodman 1998, section 2.7), pruned to what changes most.

Words that the recogniser cannot say are a break: nothing is learnt across them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from edge.asr.language_model import assembled, cost
from edge.asr.ngram_fst import BEGIN, NO_WORD, NGrams

# Chen and Goodman's discount from n1 and n2; where a text has no word twice, half.
_DISCOUNT = 0.5

Gram = tuple[int, ...]


def count(sentences: Iterable[tuple[Sequence[int | None], float]], end: int) -> dict[int, dict[Gram, float]]:
    """n-grams of one to three words -> weighted count. A sentence is labels, None for a word that nobody can say, and its weight."""
    counts: dict[int, dict[Gram, float]] = {order: defaultdict(float) for order in (1, 2, 3)}
    for words, weight in sentences:
        said: list[int | None] = [BEGIN, *words, end]
        for at in range(1, len(said)):
            for order in (1, 2, 3):
                gram = said[max(0, at - order + 1) : at + 1]
                if len(gram) == order and None not in gram:
                    counts[order][tuple(word for word in gram if word is not None)] += weight
    return counts


def kneser_ney(counts: dict[int, dict[Gram, float]], like: NGrams, *, least: float = 2.0) -> NGrams:
    """The model of `counts` over the words of `like`. Of three words, what was seen less than `least` times is left out."""
    after: Counter[Gram] = Counter()
    for gram in counts[2]:
        after[gram[1:]] += 1
    lower = {gram: float(n) for gram, n in after.items()}
    middle: dict[Gram, float] = defaultdict(float)
    for gram in counts[3]:
        middle[gram[1:]] += 1
    # A context that begins a sentence has nothing before it: its own counts.
    middle |= {gram: n for gram, n in counts[2].items() if gram[0] == BEGIN}
    longest = {gram: n for gram, n in counts[3].items() if n >= least}
    whole = sum(lower.values())
    p1 = {gram: n / whole for gram, n in lower.items()}
    p2 = _smoothed(middle, p1)
    p3 = _smoothed(longest, p2)
    return _as_model({**p1, **p2, **p3}, like)


def _smoothed(table: dict[Gram, float], lower: dict[Gram, float]) -> dict[Gram, float]:
    ones = sum(1 for n in table.values() if n <= 1)
    twos = sum(1 for n in table.values() if 1 < n <= 2)  # noqa: PLR2004
    discount = ones / (ones + 2 * twos) if ones and twos else _DISCOUNT
    total: dict[Gram, float] = defaultdict(float)
    kinds: Counter[Gram] = Counter()
    for gram, n in table.items():
        total[gram[:-1]] += n
        kinds[gram[:-1]] += 1
    return {
        gram: max(n - discount, 0) / total[gram[:-1]] + discount * kinds[gram[:-1]] / total[gram[:-1]] * lower.get(gram[1:], 0.0)
        for gram, n in table.items()
    }


def _as_model(probability: dict[Gram, float], like: NGrams) -> NGrams:
    rows = np.full((len(probability), 3), NO_WORD, np.int64)
    for number, gram in enumerate(probability):
        # Most recent context word first.
        rows[number, : len(gram) - 1] = gram[:-1][::-1]
        rows[number, 2] = gram[-1]
    return assembled(rows, -np.log(np.fromiter(probability.values(), np.float64, len(probability))), like)


def pruned(trade: NGrams, counts: dict[int, dict[Gram, float]], most: int) -> NGrams:
    """`trade` with the `most` n-grams of two and three words whose loss would cost the text most (Seymore and Rosenfeld 1996)."""
    contexts = trade.contexts[trade.state]
    depth = (contexts != NO_WORD).sum(axis=1)
    shorter = contexts.copy()
    rows = np.arange(len(contexts))
    deep = depth > 0
    shorter[rows[deep], depth[deep] - 1] = NO_WORD
    without = cost(trade, shorter, trade.word)
    seen = np.array(
        [
            counts[int(d) + 1].get((*(int(w) for w in context[::-1] if w != NO_WORD), int(word)), 0.0)
            for context, d, word in zip(contexts, depth, trade.word, strict=True)
        ]
    )
    gain = np.where(deep, seen * (without - trade.cost), np.inf)
    if deep.sum() > most:
        limit = np.sort(gain[deep])[-most]
        keep = gain >= limit
    else:
        keep = np.ones(len(gain), np.bool_)
    # An n-gram of three stands on the two words before it: they stay, or its context could not be reached.
    needed = {(int(c[1]), int(c[0])) for c in contexts[keep & (depth == 2)]}  # noqa: PLR2004
    two = depth == 1
    keep[two] |= [(int(c[0]), int(w)) in needed for c, w in zip(contexts[two], trade.word[two], strict=True)]
    return assembled(np.column_stack([contexts, trade.word])[keep], trade.cost[keep], trade)
