"""Sentences as rows of a sparse matrix, and trained weights as the tables that the box adds up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from edge.words.ngrams import KNOWN_BITS, PAIR_BITS, WORD_BITS, known_number, length_scale, pair_rows, word_rows
from edge.words.rated import RATED

WORDS, PAIRS, NUMBERS = 1 << WORD_BITS, 1 << PAIR_BITS, 1 << KNOWN_BITS
DENSE = len(RATED)
NGRAMS = WORDS + PAIRS
COLUMNS = NGRAMS + NUMBERS + DENSE + 1
# The columns of words by number.
KNOWN = slice(NGRAMS, NGRAMS + NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """`sparse` is (rows, COLUMNS) float32: word table, pair table, words by number, the numbers of edge.words.rated, and 1."""

    sparse: sparse.csr_matrix

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Features":
        return Features(sparse=self.sparse[rows])


_ROWS: dict[str, list[int]] = {}


def features(sentences: Sequence[Sequence[str]], rated: NDArray[np.float32]) -> Features:
    """The features of tokenized `sentences`, with their numbers of edge.words.rated, float32 (sentences, DENSE)."""
    columns: list[int] = []
    values: list[float] = []
    ends = [0]
    for tokens in sentences:
        scale = length_scale(tokens)
        for word in dict.fromkeys(tokens):
            if word not in _ROWS:
                _ROWS[word] = [*word_rows(word), NGRAMS + known_number(word)]
            columns += _ROWS[word]
        columns += [WORDS + row for row in pair_rows(tokens)]
        values += [scale] * (len(columns) - len(values))
        ends.append(len(columns))
    ngrams = sparse.csr_matrix((np.array(values, np.float32), columns, ends), shape=(len(sentences), NGRAMS + NUMBERS))
    ngrams.sum_duplicates()
    ones = np.ones((len(sentences), 1), np.float32)
    return Features(sparse=sparse.hstack([ngrams, sparse.csr_matrix(rated), sparse.csr_matrix(ones)]).tocsr())


def rarity(table: sparse.csr_matrix) -> NDArray[np.float64]:
    """How rare each n-gram of `table` is: smooth inverse document frequency."""
    met = np.asarray((table[:, :NGRAMS] > 0).sum(axis=0)).ravel()
    return np.asarray(np.log((table.shape[0] + 1) / (met + 1)) + 1)


def telling(table: sparse.csr_matrix, classes: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each n-gram of `table` tells of some class: the largest log-odds ratio of one against the rest (NB-SVM's)."""
    held = (table[:, :NGRAMS] > 0).astype(np.float64)
    ratios = np.zeros(NGRAMS)
    for one in np.unique(classes):
        inside, outside = ((weights[mine] @ held[mine] + 1.0) / (weights[mine].sum() + 2.0) for mine in (classes == one, classes != one))
        ratios = np.maximum(ratios, np.abs(np.log(inside / outside)))
    return ratios


def column_scale(table: sparse.csr_matrix, ngrams: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each column is multiplied by in training, so that the penalty spares those that `ngrams` rates high.

    0 for n-grams met less than twice, which no weight must remember, and for words by number: convert.words.company weighs those. 1 for
    the numbers of edge.words.rated and the constant.
    """
    met = np.asarray((table[:, :NGRAMS] > 0).sum(axis=0)).ravel()
    scale = np.where(met < 2, 0.0, ngrams)  # noqa: PLR2004 (once is one person's words)
    # Sentences of about length 1, so that the penalty means the same whatever the n-grams are.
    scale /= np.sqrt(np.asarray((table[:, :NGRAMS] @ sparse.diags(scale)).power(2).sum(axis=1)).mean())
    return np.concatenate([scale, np.zeros(NUMBERS), np.ones(DENSE + 1)])
