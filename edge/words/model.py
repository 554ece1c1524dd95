"""The learned words model: two int8 tables of n-gram weights and a few numbers, added up with numpy.

A bundle (edge.bundle) of kind `words` whose one .npz holds
    words, pairs         int8 (2^15, outputs), (2^16, outputs): the tables of edge.words.ngrams
    known, company       int32 (n,), int8 (n, outputs): numbers of known words, and a row more for each; older bundles have none
    words_scale, ...     float32 (outputs,): what a step of int8 is worth in log-odds
    dense                float32 (len(RATED) + 1, outputs): weights of the numbers of edge.words.rated, and of 1
Outputs are the log-odds of negative and of positive against neutral, then the score of each cause that it was taught.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.bundle import golden
from edge.bundle.golden import Case
from edge.bundle.manifest import MANIFEST, load
from edge.bundle.signature import Trust
from edge.errors import ModelError
from edge.words.ngrams import PAIR_BITS, WORD_BITS, known_number, length_scale, pair_rows, word_rows
from edge.words.rated import RATED
from edge.words.tokens import tokenize

Floats = NDArray[np.float32]
# negative and positive come before the causes.
POLARITIES = 2
# Words whose share is remembered: a vocabulary of everyday English; the memory is emptied when it is full (12 floats a word: 2 MB).
_REMEMBERED = 20_000
# A sentence takes 0.1 ms on a PC and ten times that on a Pi; a box that needs 50 ms cannot follow a call.
_BUDGET_MS = 50.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest's `calibration`: from scores to probabilities and a decision.

    Log-odds against neutral are scale * score + shift. `prior` are the shares of negative, neutral, positive that the
    probabilities hold; `decision` is multiplied to them before the largest is taken. `causes` names the cause outputs;
    `cause_factors` bring their softmax back to how common they were in the corpus (training makes rare ones count more).
    """

    scale: tuple[float, float]
    shift: tuple[float, float]
    prior: tuple[float, float, float]
    decision: tuple[float, float, float]
    causes: tuple[str, ...]
    cause_factors: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Calibrated log-odds against neutral (they hold the training prior), and cause label -> probability.

    `shares` says what each distinct word added to positive over negative.
    """

    negative: float
    positive: float
    causes: Mapping[str, float]
    shares: Mapping[str, float]


class WordsModel:
    """A loaded model. Safe from any thread: what it remembers can be worked out again at any time."""

    def __init__(self, tables: Mapping[str, NDArray[np.generic]], calibration: Calibration, label: str | None = None) -> None:
        self.calibration, self.label = calibration, label
        self._words = np.asarray(tables["words"], np.int8)
        self._pairs = np.asarray(tables["pairs"], np.int8)
        self._words_scale = np.asarray(tables["words_scale"], np.float32)
        self._pairs_scale = np.asarray(tables["pairs_scale"], np.float32)
        self._dense = np.asarray(tables["dense"], np.float32)
        self._company: dict[int, Floats] = {}
        if "company" in tables:
            company = np.asarray(tables["company"], np.float32) * np.asarray(tables["company_scale"], np.float32)
            self._company = dict(zip(tables["known"].tolist(), company, strict=True))
        # What 1 of each output adds to positive over negative.
        self._towards = np.zeros(self._dense.shape[1], np.float32)
        self._towards[:POLARITIES] = -calibration.scale[0], calibration.scale[1]
        self._remembered: dict[str, bytes] = {}

    @classmethod
    def load(cls, folder: Path, *, trust: Trust | None = None) -> "WordsModel":
        """The model of the bundle in `folder`. Raises ModelError."""
        bundle = load(folder, kind="words", trust=trust)
        path = bundle.only(".npz")
        try:
            calibration = msgspec.convert(bundle.manifest.calibration, Calibration)
        except msgspec.ValidationError as error:
            raise ModelError(f"{folder / MANIFEST}: key 'calibration': {error}; pack the bundle again") from error
        try:
            with np.load(path, allow_pickle=False) as file:
                tables = {name: file[name] for name in file.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise ModelError(f"{path}: not tables of numbers ({error}); bring the bundle again") from error
        if bundle.manifest.features.get("rated") != list(RATED):
            raise ModelError(f"{folder / MANIFEST}: key 'features.rated': not this version's numbers; take the bundle that came with it")
        _check(path, tables, calibration)
        model = cls(tables, calibration, bundle.label)
        if bundle.manifest.golden is not None:
            golden.check(bundle.path(bundle.manifest.golden), model.answer, budget_ms=_BUDGET_MS)
        return model

    def answer(self, case: Case) -> dict[str, list[float]]:
        """What a golden sentence adds up to, the overlay's numbers taken as 0: a site's overlay must not break the proof."""
        scored = self.score(tokenize(case.text or ""), [0.0] * len(RATED))
        return {"log_odds": [scored.negative, scored.positive], "causes": list(scored.causes.values())}

    def number_shares(self) -> Floats:
        """What 1 of each number of edge.words.rated adds to positive over negative: float32 (len(RATED),)."""
        shares: Floats = self._dense[:-1] @ self._towards
        return shares

    def score(self, tokens: Sequence[str], numbers: Sequence[float]) -> Scored:
        """What lower-case `tokens`, with their `numbers` of edge.words.rated, add up to."""
        words = list(dict.fromkeys(tokens))
        scale = length_scale(tokens)
        known_shares = self._remembered.get
        shares = b"".join([known_shares(word) or self._share(word) for word in words])
        by_word = np.frombuffer(shares, np.float32).reshape(len(words), self._dense.shape[1])
        by_pair = self._pairs.take(pair_rows(tokens), axis=0).sum(axis=0, dtype=np.int32) * self._pairs_scale
        total = scale * (by_word.sum(axis=0) + by_pair) + np.array((*numbers, 1.0), np.float32) @ self._dense
        known = self.calibration
        outputs = total.tolist()
        return Scored(
            negative=known.scale[0] * outputs[0] + known.shift[0],
            positive=known.scale[1] * outputs[1] + known.shift[1],
            causes=dict(zip(known.causes, _softmax(outputs[POLARITIES:], known.cause_factors), strict=True)),
            shares=dict(zip(words, (scale * (by_word @ self._towards)).tolist(), strict=True)),
        )

    def _share(self, word: str) -> bytes:
        """What `word` adds to each output, before the sentence's length is known: the bytes of float32 (outputs,), which join fast."""
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        share: Floats = self._words.take(word_rows(word), axis=0).sum(axis=0, dtype=np.int32).astype(np.float32) * self._words_scale
        company = self._company.get(known_number(word))
        if company is not None:
            share = share + company
        remembered = self._remembered[word] = share.tobytes()
        return remembered


def _softmax(scores: Sequence[float], factors: Sequence[float]) -> list[float]:
    top = max(scores)
    powers = [factor * math.exp(score - top) for score, factor in zip(scores, factors, strict=True)]
    whole = sum(powers)
    return [power / whole for power in powers]


def _check(path: Path, tables: Mapping[str, NDArray[np.generic]], calibration: Calibration) -> None:
    """Refuse tables that do not fit this box's n-grams, numbers or causes."""
    outputs = POLARITIES + len(calibration.causes)
    needed: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "words": ((1 << WORD_BITS, outputs), np.int8),
        "pairs": ((1 << PAIR_BITS, outputs), np.int8),
        "words_scale": ((outputs,), np.float32),
        "pairs_scale": ((outputs,), np.float32),
        "dense": ((len(RATED) + 1, outputs), np.float32),
    }
    if "company" in tables:
        known = len(tables["known"]) if "known" in tables else 0
        needed |= {"known": ((known,), np.int32), "company": ((known, outputs), np.int8), "company_scale": ((outputs,), np.float32)}
    if len(calibration.cause_factors) != len(calibration.causes):
        raise ModelError(f"{path.parent / MANIFEST}: key 'calibration.cause_factors': one number a cause is needed; pack the bundle again")
    for name, (shape, kind) in needed.items():
        table = tables.get(name)
        if table is None or table.shape != shape or table.dtype != kind:
            found = "missing" if table is None else f"{table.dtype} {table.shape}"
            raise ModelError(
                f"{path}: '{name}' is {found} where this version needs {kind.__name__} {shape}; take the bundle of this version"
            )
        if not np.isfinite(np.asarray(table, np.float64)).all():
            raise ModelError(f"{path}: '{name}' holds a number that is none; bring the bundle again")
