"""What others are worth on the same rows: NLTK's VADER, and the n-grams that anybody would try first."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from convert.metrics import auc, ece
from convert.words.corpus import CAUSES
from convert.words.fit import Floats, fit, macro_f1, softmax, top_k
from convert.words.train import Material
from edge.phrases.tokens import tokenize
from edge.words.sentiment import Vader

# VADER's own thresholds for its compound.
_VADER_NEUTRAL = 0.05
Ints = NDArray[np.int64]


def baselines(given: Material, place: Ints, only: Sequence[int] | None) -> dict[str, dict[str, float]]:
    """The figures of VADER and of the n-gram baseline on the same rows and the same folds."""
    chosen = sorted(set(place.tolist())) if only is None else list(only)
    tested = np.isin(place, chosen)
    texts = np.array([row.text for row in given.rows], object)
    heard = np.array([position for position in sorted(given.spoken) if tested[position]], np.int64)
    said = np.array([" ".join(given.spoken[int(position)]) for position in heard], object)
    p, q, c = np.zeros((len(texts), 3)), np.zeros((len(heard), 3)), np.zeros((len(texts), len(CAUSES)))
    for fold in chosen:
        mine, other = place == fold, place != fold
        model = NgramBaseline(texts[other].tolist(), given.labels[other], 3)
        p[mine] = model.p(texts[mine].tolist())
        if (told := place[heard] == fold).any():
            q[told] = model.p(said[told].tolist())
        blamed = given.causes >= 0
        causes = NgramBaseline(texts[other & blamed].tolist(), given.causes[other & blamed], len(CAUSES))
        c[mine & blamed] = causes.p(texts[mine & blamed].tolist())
    labels, blamed = given.labels[tested], tested & (given.causes >= 0)
    ngrams = {
        "airline_macro_f1": macro_f1(labels, p[tested].argmax(axis=1), 3),
        "airline_auc": auc(p[tested][:, 0], labels == 0),
        "airline_ece": ece(p[tested][:, 0], labels == 0),
        "cause_macro_f1": macro_f1(given.causes[blamed], c[blamed].argmax(axis=1), len(CAUSES)),
        "cause_top1": float((c[blamed].argmax(axis=1) == given.causes[blamed]).mean()),
        "cause_top3": top_k(c[blamed], given.causes[blamed], 3),
    }
    plain = vader(texts[tested].tolist(), labels)
    lexicon = {"airline_macro_f1": plain["macro_f1"], "airline_auc": plain["auc"]}
    if len(heard):
        heard_labels = given.labels[heard]
        spoken = vader(said.tolist(), heard_labels)
        lexicon |= {"spoken_macro_f1": spoken["macro_f1"], "spoken_auc": spoken["auc"]}
        ngrams |= {"spoken_macro_f1": macro_f1(heard_labels, q.argmax(axis=1), 3), "spoken_auc": auc(q[:, 0], heard_labels == 0)}
    return {"VADER (NLTK)": lexicon, "1-2-gram TF-IDF + logistic regression": ngrams}


def vader(texts: Sequence[str], labels: Ints) -> dict[str, float]:
    """NLTK's VADER on `texts`, by its own thresholds."""
    judge = Vader()
    compound = np.array([judge.plain(text) for text in texts])
    said = np.where(compound <= -_VADER_NEUTRAL, 0, np.where(compound >= _VADER_NEUTRAL, 2, 1))
    return {"macro_f1": macro_f1(labels, said, 3), "auc": auc(-compound, labels == 0)}


class NgramBaseline:
    """1-2-gram TF-IDF and logistic regression, trained on clean rows: what anybody would try first."""

    def __init__(self, texts: Sequence[str], truth: Ints, classes: int) -> None:
        met = Counter(gram for text in texts for gram in set(_grams(text)))
        self._columns = {gram: place for place, gram in enumerate(sorted(gram for gram, count in met.items() if count > 1))}
        self._weight = np.array([np.log((len(texts) + 1) / (met[gram] + 1)) + 1 for gram in self._columns])
        # 1 / C of scikit-learn's LogisticRegression at C = 4.
        penalty = np.append(np.full(len(self._columns), 0.25), 1e-3)
        self._table = fit(self._read(texts), np.eye(classes)[truth], np.ones(len(texts)), penalty=penalty, iterations=100)

    def p(self, texts: Sequence[str]) -> Floats:
        """Probabilities of the classes."""
        return softmax(np.asarray(self._read(texts) @ self._table))

    def _read(self, texts: Sequence[str]) -> sparse.csr_matrix:
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            counts = Counter(gram for gram in _grams(text) if gram in self._columns)
            known = np.array([self._columns[gram] for gram in counts], np.int64)
            weights = (1 + np.log(np.array(list(counts.values()), np.float64))) * self._weight[known] if len(known) else np.zeros(0)
            norm = float(np.sqrt((weights**2).sum())) or 1.0
            rows += [row] * (len(known) + 1)
            columns += [*known.tolist(), len(self._columns)]
            values += [*(weights / norm).tolist(), 1.0]
        return sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), len(self._columns) + 1))


def _grams(text: str) -> list[str]:
    words = tokenize(text)
    return words + [f"{a} {b}" for a, b in pairwise(words)]


def milliseconds(answer: Callable[[str], object], texts: Sequence[str], rounds: int = 5) -> float:
    """The median over `rounds` of the mean time a sentence of `texts`, after one round to warm up."""
    taken = []
    for number in range(rounds + 1):
        began = time.perf_counter()
        for text in texts:
            answer(text)
        if number:
            taken.append((time.perf_counter() - began) * 1000 / len(texts))
    return sorted(taken)[len(taken) // 2]
