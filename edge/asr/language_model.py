"""Two back-off n-gram models made one by static interpolation (Stolcke 2002, "SRILM", section 4.3).

p(w|h) = (1 - weight) p_base(w|h) + weight p_trade(w|h) for every n-gram of either; back-off weights anew, so that contexts sum to one.
"""

from dataclasses import replace

import numpy as np

from edge.asr.ngram_fst import NO_WORD, Floats, Ints, NGrams

# What is left of a context's probability for unlisted words may be nothing, by rounding: keep a hundred-thousandth.
_LEAST_LEFT = 1e-5
# A label has this many bits at most, so that an n-gram of three is one int64: a million words.
_BITS = 20


def mix(base: NGrams, trade: NGrams, weight: float) -> NGrams:
    """The mixture, with `trade`'s share `weight` 0..1. Both have the same words by label."""
    contexts = _distinct(np.concatenate([base.contexts, trade.contexts]))
    rows = _grams(np.union1d(_keys(base), _keys(trade)))
    places = _place(contexts, rows[:, :2])
    order = np.lexsort((rows[:, 2], places))
    rows, places = rows[order], places[order]
    of_base, of_trade = (np.exp(-cost(model, rows[:, :2], rows[:, 2])) for model in (base, trade))
    probability: Floats = (1 - weight) * of_base + weight * of_trade
    mixed = replace(
        base,
        contexts=contexts,
        backoff=np.zeros(len(contexts)),
        state=places,
        word=rows[:, 2],
        cost=-np.log(np.maximum(probability, 1e-30)),
    )
    return normalised(mixed)


def normalised(model: NGrams) -> NGrams:
    """`model` with back-off weights that make each context sum to one: those of one word first, which the longer ones stand on."""
    backoff = np.zeros(len(model.contexts))
    depth = (model.contexts != NO_WORD).sum(axis=1)
    for length in (1, 2):
        shorter = replace(model, backoff=backoff)
        rows = depth[model.state] == length
        below = model.contexts[model.state[rows]].copy()
        below[:, length - 1] = NO_WORD
        size = len(model.contexts)
        listed = np.bincount(model.state[rows], np.exp(-model.cost[rows]), size)
        listed_below = np.bincount(model.state[rows], np.exp(-cost(shorter, below, model.word[rows])), size)
        left, left_below = np.maximum(1 - listed, _LEAST_LEFT), np.maximum(1 - listed_below, _LEAST_LEFT)
        here = depth == length
        backoff[here] = -np.log(left[here] / left_below[here])
    return replace(model, backoff=backoff)


def cost(model: NGrams, contexts: Ints, words: Ints) -> Floats:
    """-ln p of each word (n,) after its context (n, 2), most recent first; infinite for a word that `model` does not know."""
    label_limit = len(model.words) + 1
    known = model.state * label_limit + model.word
    total = np.zeros(len(words))
    found = np.zeros(len(words), np.bool_)
    asked = np.asarray(contexts).copy()
    depth = (asked != NO_WORD).sum(axis=1)
    for length in (2, 1, 0):
        asked[:, length:] = NO_WORD
        state = _place(model.contexts, asked)
        there = ~found & (state >= 0) & (depth >= length)
        key = state * label_limit + words
        at = np.minimum(np.searchsorted(known, key), len(known) - 1)
        hit = there & (known[at] == key)
        total[hit] += model.cost[at[hit]]
        found |= hit
        missed = there & ~hit
        total[missed] += model.backoff[state[missed]]
    total[~found] = np.inf
    return total


def assembled(grams: Ints, costs: Floats, like: NGrams) -> NGrams:
    """A model of n-grams (n, 3: most recent word before, older one, word) over the words of `like`, normalised."""
    contexts = grams[:, :2]
    shorter = contexts.copy()
    shorter[:, 1] = NO_WORD
    known = _distinct(np.concatenate([np.full((1, 2), NO_WORD), shorter, contexts]))
    state = _place(known, contexts)
    order = np.lexsort((grams[:, 2], state))
    blank = np.zeros(len(known))
    return normalised(replace(like, contexts=known, backoff=blank, state=state[order], word=grams[order, 2], cost=costs[order]))


def grams(model: NGrams) -> Ints:
    """Every n-gram as (most recent word before, older one, word)."""
    return np.column_stack([model.contexts[model.state], model.word])


def _keys(model: NGrams) -> Ints:
    """Every n-gram as one number."""
    every = grams(model)
    return ((every[:, 0] + 1) << (2 * _BITS)) | ((every[:, 1] + 1) << _BITS) | every[:, 2]


def _grams(keys: Ints) -> Ints:
    """The n-grams of such numbers, as `grams` gives them."""
    low = (1 << _BITS) - 1
    return np.column_stack([(keys >> (2 * _BITS)) - 1, ((keys >> _BITS) & low) - 1, keys & low])


def _order(contexts: Ints) -> Ints:
    """One number for each context; in its order contexts stand by length, most recent and older word."""
    recent, older = contexts[:, 0], contexts[:, 1]
    length = 1 * (recent != NO_WORD) + (older != NO_WORD)
    order: Ints = (length << 58) + ((recent + 1) << 29) + older + 1
    return order


def _distinct(contexts: Ints) -> Ints:
    """Each once, in order."""
    _, first = np.unique(_order(contexts), return_index=True)
    return contexts[first]


def _place(contexts: Ints, asked: Ints) -> Ints:
    """The number of each asked context among `contexts`, which are in order; -1 where it is not there."""
    keys, wanted = _order(contexts), _order(asked)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, at, -1)
