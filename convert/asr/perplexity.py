"""How surprised a language model is by text: exp of the mean cost of a word, sentence ends counted."""

from collections.abc import Mapping, Sequence

import numpy as np

from convert.asr.text import Sentence
from edge.asr.language_model import cost
from edge.asr.ngram_fst import BEGIN, NO_WORD, NGrams


def perplexity(model: NGrams, sentences: Sequence[Sentence], label: Mapping[str, int]) -> float:
    """Of the words that the model knows; behind one that it does not, nothing is known."""
    contexts, words = [], []
    for sentence in sentences:
        said = [BEGIN, *(label.get(word, NO_WORD) for word in sentence.words), model.end]
        for at in range(1, len(said)):
            if said[at] == NO_WORD:
                continue
            recent, older = said[at - 1], said[at - 2] if at > 1 else NO_WORD
            contexts.append((recent, older if recent != NO_WORD else NO_WORD))
            words.append(said[at])
    if not words:
        return float("nan")
    costs = cost(model, np.asarray(contexts, np.int64), np.asarray(words, np.int64))
    return float(np.exp(costs[np.isfinite(costs)].mean()))
