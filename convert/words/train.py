"""From rows, spoken rows and made sentences to the tables of the words model."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from convert.words.company import company
from convert.words.corpus import CAUSES, LABELS, Row
from convert.words.fit import Floats, fit
from convert.words.noise import WordErrors
from convert.words.service import ServiceSentence
from convert.words.sets import Lesson
from convert.words.table import COLUMNS, DENSE, KNOWN, NGRAMS, WORDS, Features, column_scale, features, rarity, telling
from edge.phrases.lexicon import Lexicon
from edge.phrases.tokens import tokenize
from edge.words.rated import rate
from edge.words.sentiment import Vader

# How strongly weights are held to 0: n-grams (whose sentences have length 1), and the overlay's numbers (docs/words-experiments.md).
_PENALTY, _PENALTY_RATED = 1.0, 0.3
_PENALTY_CAUSE, _PENALTY_CAUSE_RATED = 0.5, 1.0
# A row as it was heard, and each noisy copy, counts half of the row; a lesson twice its weight; a made complaint half.
_NOISY, _LESSON, _COMPLAINT = 0.5, 2.0, 0.5
_COPIES = 2
# Rare labels count more, by the root of how much rarer they are: weighted alike, the common ones would suffer.
_BALANCE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Rows with their features, and what some of them were heard as. `spoken` maps positions of `rows` to heard words.

    `lessons` are sentences beside the corpus, `complaints` made airline complaints whose causes are among CAUSES.
    """

    rows: Sequence[Row]
    labels: NDArray[np.int64]
    causes: NDArray[np.int64]
    clean: Features
    spoken: Mapping[int, Sequence[str]]
    lessons: Sequence[Lesson]
    complaints: Sequence[ServiceSentence]


class Reader:
    """Texts to features, as the box would."""

    def __init__(self) -> None:
        self._lexicon, self._vader = Lexicon.load(), Vader()

    def own(self, text: str) -> list[str]:
        """The tokens of `text` that are not agents' script."""
        return self._lexicon.without_agent(tokenize(text))

    def read(self, texts: Sequence[str]) -> Features:
        """The features of `texts`."""
        tokens = [self.own(text) for text in texts]
        return features(tokens, np.array([rate(t, self._lexicon, self._vader).numbers for t in tokens], np.float32))


def material(
    rows: Sequence[Row], spoken: Mapping[str, Sequence[str]], lessons: Sequence[Lesson],
    complaints: Sequence[ServiceSentence], reader: Reader,
) -> Material:  # fmt: skip
    """Everything that training and evaluation need of `rows`; `spoken` maps row ids to heard words."""
    return Material(
        rows=rows,
        labels=np.array([row.label for row in rows]),
        causes=np.array([row.cause for row in rows]),
        clean=reader.read([row.text for row in rows]),
        spoken={position: spoken[row.id] for position, row in enumerate(rows) if row.id in spoken},
        lessons=lessons,
        complaints=complaints,
    )


def train(given: Material, chosen: NDArray[np.int64], reader: Reader, *, seed: int, copies: int = _COPIES) -> Floats:
    """Tables in one: (COLUMNS, 2 + causes), trained on the rows `chosen`, the lessons and the made complaints.

    The first two outputs are log-odds against neutral. Word errors are learnt from the spoken rows among the chosen alone.
    """
    parts = [(given.clean[chosen].sparse, chosen, 1.0)]
    heard = [int(position) for position in chosen if int(position) in given.spoken]
    if heard:
        parts.append((reader.read([" ".join(given.spoken[position]) for position in heard]).sparse, np.array(heard), _NOISY))
        errors = WordErrors([(given.rows[position].text.split(), given.spoken[position]) for position in heard])
        chance = random.Random(seed)  # noqa: S311 (not a secret)
        for _ in range(copies):
            noisy = [" ".join(errors.corrupt(given.rows[position].text.split(), chance)) for position in chosen]
            parts.append((reader.read(noisy).sparse, chosen, _NOISY))
    lessons = reader.read([" ".join(lesson.tokens) for lesson in given.lessons]).sparse
    lesson_labels = np.array([lesson.label for lesson in given.lessons])
    lesson_weights = np.array([lesson.weight for lesson in given.lessons])
    complaint = reader.read([sentence.text for sentence in given.complaints]).sparse
    vectors = company(sparse.vstack([given.clean[chosen].sparse, lessons, complaint]).tocsr()[:, KNOWN])
    counts = np.bincount(given.labels, minlength=len(LABELS))
    evened = (counts.mean() / np.maximum(counts, 1)) ** _BALANCE
    polarity = _fit(
        [part for part, _, _ in parts] + [lessons],
        [given.labels[where] for _, where, _ in parts] + [lesson_labels],
        [weight * evened[given.labels[where]] for _, where, weight in parts] + [_LESSON * lesson_weights * evened[lesson_labels]],
        vectors, classes=len(LABELS), penalty=_PENALTY, penalty_rated=_PENALTY_RATED,
    )  # fmt: skip
    balance = cause_balance(given)
    made = np.array([CAUSES.index(str(sentence.cause)) for sentence in given.complaints])
    blamed = [(part[given.causes[where] >= 0], where[given.causes[where] >= 0], weight) for part, where, weight in parts]
    cause = _fit(
        [part for part, _, _ in blamed] + [complaint],
        [given.causes[where] for _, where, _ in blamed] + [made],
        [weight * balance[given.causes[where]] for _, where, weight in blamed] + [_COMPLAINT * balance[made]],
        vectors, classes=len(CAUSES), penalty=_PENALTY_CAUSE, penalty_rated=_PENALTY_CAUSE_RATED,
        told=[np.full(len(where), weight) for _, where, weight in blamed] + [np.ones(len(made))],
    )  # fmt: skip
    against_neutral = polarity[:, [0, 2]] - polarity[:, [1]]
    return np.concatenate([against_neutral, cause - cause.mean(axis=1, keepdims=True)], axis=1)


def cause_balance(given: Material) -> Floats:
    """How much more a row of each cause counts in training."""
    shares = np.bincount(given.causes[given.causes >= 0], minlength=len(CAUSES))
    return np.asarray((shares.mean() / np.maximum(shares, 1)) ** _BALANCE)


def quantise(table: Floats) -> dict[str, NDArray[np.generic]]:
    """The tables that the box adds up: int8 with a step for each output."""
    known = np.flatnonzero(table[KNOWN].any(axis=1))
    tables: dict[str, NDArray[np.generic]] = {"dense": table[KNOWN.stop :].astype(np.float32), "known": known.astype(np.int32)}
    for name, part in (("words", table[:WORDS]), ("pairs", table[WORDS:NGRAMS]), ("company", table[KNOWN][known])):
        step = np.maximum(np.abs(part).max(axis=0), 1e-9) / 127
        tables[name] = np.rint(part / step).astype(np.int8)
        tables[f"{name}_scale"] = step.astype(np.float32)
    return tables


def _fit(
    parts: Sequence[sparse.csr_matrix], truths: Sequence[NDArray[np.int64]], weights: Sequence[Floats], vectors: sparse.csr_matrix, *,
    classes: int, penalty: float, penalty_rated: float, told: Sequence[Floats] | None = None,
) -> Floats:  # fmt: skip
    """Weights (COLUMNS, classes) in the units of the features themselves; `vectors` are those of words by number.

    With `told` (weights of the rows) n-grams are spared by what they tell of the classes, else by their rarity.
    """
    whole, truth = sparse.vstack(parts).tocsr(), np.concatenate(truths)
    scale = column_scale(whole, rarity(whole) if told is None else telling(whole, truth, np.concatenate(told)))
    kept = np.flatnonzero(scale > 0)
    held = np.concatenate([np.full(KNOWN.stop, penalty), np.full(DENSE, penalty_rated), [1e-3]])[kept]
    held = np.concatenate([held, np.full(vectors.shape[1], penalty)])
    scaled, near = (whole[:, kept] @ sparse.diags(scale[kept])).tocsr(), (whole[:, KNOWN] @ vectors).toarray().astype(np.float32)
    found = fit(scaled, np.eye(classes)[truth], np.concatenate(weights), penalty=held, more=near)
    table = np.zeros((COLUMNS, classes))
    table[kept] = found[: len(kept)] * scale[kept][:, None]
    table[KNOWN] = vectors @ found[len(kept) :]
    return table
