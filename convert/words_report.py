"""What the words model is worth, beside its baselines in the same run: held-out tweets, the same spoken, other trades, causes, time."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy import sparse

from convert.metrics import auc, ece
from convert.words_corpus import CAUSES, LABELS
from convert.words_fit import Floats, fit, fit_factors, fit_scale, macro_f1, softmax, top_k
from convert.words_train import Material, Reader, cause_balance, train
from edge.errors import UsageError
from edge.words.causes import Causes
from edge.words.combine import by_code
from edge.words.model import POLARITIES
from edge.words.sentiment import Vader
from edge.words.tokens import tokenize

# VADER's own thresholds for its compound.
_VADER_NEUTRAL = 0.05
Ints = NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class Outputs:
    """Raw outputs where the model had not seen the row: `clean` for every row tested, `spoken` for those heard."""

    tested: Ints
    clean: Floats
    heard: Ints
    spoken: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Hand-written sentences of other trades."""

    texts: Sequence[str]
    labels: Ints


def read_sentences(paths: Sequence[Path]) -> Sentences:
    """The sentences of YAML lists of {text, label, ...}. Raises UsageError."""
    items: list[dict[str, str]] = []
    for path in paths:
        try:
            items += yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise UsageError(f"{path}: cannot be read ({error}); give a YAML list of {{text, label}}") from error
    return Sentences(texts=[item["text"] for item in items], labels=np.array([LABELS.index(item["label"]) for item in items], np.int64))


def out_of_fold(
    given: Material, folds: Ints, reader: Reader, *, seed: int, only: Sequence[int] | None = None,
    say: Callable[[str], None] = print,
) -> Outputs:  # fmt: skip
    """Train once without each fold (those of `only`) and let that model judge it."""
    width = POLARITIES + len(CAUSES)
    heard = np.array(sorted(given.spoken), np.int64)
    heard_features = reader.read([" ".join(given.spoken[int(position)]) for position in heard])
    clean, spoken = np.zeros((len(folds), width)), np.zeros((len(heard), width))
    chosen = sorted(set(folds.tolist())) if only is None else list(only)
    for fold in chosen:
        began = time.monotonic()
        table = train(given, np.flatnonzero(folds != fold), reader, seed=seed + fold)
        tested = np.flatnonzero(folds == fold)
        clean[tested] = given.clean[tested].sparse @ table
        told = np.flatnonzero(folds[heard] == fold)
        spoken[told] = heard_features[told].sparse @ table
        say(f"fold {fold}: trained without {len(tested)} rows, {time.monotonic() - began:.0f} s")
    tested = np.flatnonzero(np.isin(folds, chosen))
    among = np.isin(folds[heard], chosen)
    return Outputs(tested=tested, clean=clean[tested], heard=heard[among], spoken=spoken[among])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Calibration fitted on outputs for rows that the model had not seen."""

    scale: tuple[float, float]
    shift: tuple[float, float]
    decision: tuple[float, float, float]
    cause_factors: Floats

    def p(self, outputs: Floats) -> Floats:
        """Probabilities of negative, neutral, positive."""
        return probabilities(outputs, self.scale, self.shift)


def probabilities(outputs: Floats, scale: tuple[float, float] = (1.0, 1.0), shift: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Probabilities of negative, neutral, positive from raw outputs."""
    negative, positive = (scale[k] * outputs[:, k] + shift[k] for k in range(POLARITIES))
    return softmax(np.stack([negative, np.zeros_like(negative), positive], axis=1))


def calibrate(outputs: Outputs, given: Material, rows: NDArray[np.bool_] | None = None) -> Fitted:
    """Fit scale and shift on `outputs` (those of `rows` alone, if given).

    The decision takes the shift out again: training weighed the labels more evenly than they occur, and so does the label.
    """
    used = np.ones(len(outputs.tested), bool) if rows is None else rows
    clean, labels = outputs.clean[used], given.labels[outputs.tested[used]]
    scale, shift = fit_scale(clean[:, 0], clean[:, 1], labels)
    causes = given.causes[outputs.tested[used]]
    factors = fit_factors(softmax(clean[causes >= 0][:, POLARITIES:]), causes[causes >= 0])
    return Fitted(scale=scale, shift=shift, decision=(math.exp(-shift[0]), 1.0, math.exp(-shift[1])), cause_factors=factors)


def figures(outputs: Outputs, given: Material, folds: Ints) -> dict[str, float]:
    """The table's figures for our model: each fold calibrated on the others, so that nothing is judged by what was fitted on it."""
    p, said = np.zeros((len(outputs.tested), 3)), np.zeros(len(outputs.tested), np.int64)
    cause_said, cause_p = np.zeros(len(outputs.tested), np.int64), np.zeros((len(outputs.tested), len(CAUSES)))
    heard_p, heard_said = np.zeros((len(outputs.heard), 3)), np.zeros(len(outputs.heard), np.int64)
    place, told_place = folds[outputs.tested], folds[outputs.heard]
    if len(set(place.tolist())) == 1:
        # One fold alone is calibrated on its one half and judged on the other, both ways.
        place, told_place = outputs.tested % 2, outputs.heard % 2
    for fold in sorted(set(place.tolist())):
        mine = place == fold
        fitted = calibrate(outputs, given, ~mine)
        p[mine] = fitted.p(outputs.clean[mine])
        said[mine] = (p[mine] * fitted.decision).argmax(axis=1)
        cause_p[mine] = softmax(outputs.clean[mine][:, POLARITIES:])
        cause_said[mine] = (cause_p[mine] * fitted.cause_factors).argmax(axis=1)
        told = told_place == fold
        heard_p[told] = fitted.p(outputs.spoken[told])
        heard_said[told] = (heard_p[told] * fitted.decision).argmax(axis=1)
    labels, causes = given.labels[outputs.tested], given.causes[outputs.tested]
    found = {
        "airline_macro_f1": macro_f1(labels, said, 3),
        "airline_auc": auc(p[:, 0], labels == 0),
        "airline_ece": ece(p[:, 0], labels == 0),
        "cause_macro_f1": macro_f1(causes[causes >= 0], cause_said[causes >= 0], len(CAUSES)),
        "cause_top1": float((cause_said == causes)[causes >= 0].mean()),
        "cause_top3": top_k(cause_p[causes >= 0], causes[causes >= 0], 3),
        "rows": float(len(labels)),
    }
    found["code_macro_f1"] = _codes(outputs, given)
    if len(outputs.heard):
        heard_labels = given.labels[outputs.heard]
        found |= {
            "spoken_macro_f1": macro_f1(heard_labels, heard_said, 3),
            "spoken_auc": auc(heard_p[:, 0], heard_labels == 0),
            "spoken_rows": float(len(heard_labels)),
        }
    return found


def _codes(outputs: Outputs, given: Material) -> float:
    """Macro-F1 over the taxonomy's codes that the corpus has, as the box names them: cue phrases joined with the learned causes."""
    taxonomy = Causes.load()
    names = taxonomy.airline
    codes = sorted(set(names.values()))
    factors = 1.0 / cause_balance(given)
    truth, said = [], []
    for position, row in zip(outputs.tested, outputs.clean, strict=True):
        if given.causes[position] < 0:
            continue
        raw = np.exp(row[POLARITIES:] - row[POLARITIES:].max()) * factors
        named = taxonomy.judge(
            tokenize(given.rows[position].text), by_code(dict(zip(CAUSES, (raw / raw.sum()).tolist(), strict=True)), names)
        )
        truth.append(codes.index(names[CAUSES[given.causes[position]]]))
        said.append(codes.index(named.code) if named is not None and named.code in codes else len(codes))
    return macro_f1(np.array(truth), np.array(said), len(codes))


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
