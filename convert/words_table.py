"""Sentences as rows of a sparse matrix, and trained weights as the tables that the box adds up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from edge.words.ngrams import PAIR_BITS, WORD_BITS, length_scale, pair_rows, word_rows
from edge.words.rated import RATED

WORDS, PAIRS = 1 << WORD_BITS, 1 << PAIR_BITS
DENSE = len(RATED)
COLUMNS = WORDS + PAIRS + DENSE + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """`sparse` is (rows, COLUMNS) float32: word table, pair table, the numbers of edge.words.rated, and 1."""

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
                _ROWS[word] = word_rows(word)
            columns += _ROWS[word]
        columns += [WORDS + row for row in pair_rows(tokens)]
        values += [scale] * (len(columns) - len(values))
        ends.append(len(columns))
    ngrams = sparse.csr_matrix((np.array(values, np.float32), columns, ends), shape=(len(sentences), WORDS + PAIRS))
    ngrams.sum_duplicates()
    ones = np.ones((len(sentences), 1), np.float32)
    return Features(sparse=sparse.hstack([ngrams, sparse.csr_matrix(rated), sparse.csr_matrix(ones)]).tocsr())


def rarity(table: sparse.csr_matrix) -> NDArray[np.float64]:
    """What each column is multiplied by in training, so that the penalty spares rare n-grams (smooth inverse document frequency).

    0 for those met less than twice, which no weight must remember. 1 for the numbers and the constant.
    """
    met = np.asarray((table[:, : WORDS + PAIRS] > 0).sum(axis=0)).ravel()
    scale = np.log((table.shape[0] + 1) / (met + 1)) + 1
    scale[met < 2] = 0.0  # noqa: PLR2004 (once is one person's words)
    # Sentences of about length 1, so that the penalty means the same whatever the n-grams are.
    scale /= np.sqrt(np.asarray((table[:, : WORDS + PAIRS] @ sparse.diags(scale)).power(2).sum(axis=1)).mean())
    return np.concatenate([scale, np.ones(DENSE + 1)])
