"""Words by the company that they keep: vectors of words from the training sentences alone, no labels needed.

Words met in the same sentences get near vectors, so that a weight learnt for "carousel" tells something of "conveyor" too. On the box
nothing of it is left but one row of outputs a word.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

# Chosen on folds 0 and 1 (docs/words-experiments.md).
_DIMENSIONS = 100
# A word met less often keeps no company to speak of.
_MET = 4
# Common words are met beside everything: their share of what is expected is held down (as word2vec does).
_COMMON = 0.75
# Vectors of words beside n-grams whose sentences have length 1.
_SCALE = 0.5


def company(words: sparse.csr_matrix) -> sparse.csr_matrix:
    """Vectors (columns of `words`, at most _DIMENSIONS); `words` is (sentences, numbers of words), its entries sentences' length scales."""
    met = np.asarray((words > 0).sum(axis=0)).ravel()
    kept = np.flatnonzero(met >= _MET)
    near = words[:, kept]
    together = (near.T @ near).tocsr()
    together.setdiag(0.0)
    together.eliminate_zeros()
    together = together.tocoo()
    alone = np.asarray(together.sum(axis=1)).ravel() + 1e-9
    common = alone**_COMMON
    expected = alone[together.row] * common[together.col] / common.sum()
    information = np.log(together.data / expected)
    told = information > 0
    table = sparse.csr_matrix((information[told], (together.row[told], together.col[told])), shape=together.shape)
    left, strength, _ = svds(table.astype(np.float64), k=min(_DIMENSIONS, len(kept) - 1), random_state=0)
    vectors = left * np.sqrt(strength)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    rarity = np.log(words.shape[0] / met[kept])
    return _placed(vectors * (_SCALE * rarity / rarity.mean())[:, None], kept, words.shape[1])


def _placed(vectors: NDArray[np.float64], rows: NDArray[np.int64], height: int) -> sparse.csr_matrix:
    """`vectors` as the `rows` of a table that is `height` high and otherwise 0."""
    place = sparse.csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(height, len(rows)))
    return place @ sparse.csr_matrix(vectors)
