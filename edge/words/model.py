"""The learned words model: int8 tables of n-gram weights added up, and a small net that reads the sentence as a whole.

A bundle (edge.bundle) of kind `words` whose one .npz holds
    words, pairs         int8 (2^15, outputs), (2^16, outputs): the tables of edge.words.ngrams
    known, company       int32 (n,), int8 (n, outputs): numbers of known words, and a row more for each; older bundles have none
    words_scale, ...     float32 (outputs,): what a step of int8 is worth in log-odds
    dense                float32 (len(RATED) + 1, outputs): weights of the numbers of edge.words.rated, and of 1
    net.*                the tables of edge.words.net, whose layers are the one .tflite; a bundle without them adds up n-grams alone
    speaker.*            the tables of edge.words.speaker; with a bundle that has none, on mixed lines nobody is told by their words
Outputs are the log-odds of negative and of positive against neutral, then the score of each cause that it was taught.
"""

import math
from collections.abc import Callable, Mapping, Sequence
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
from edge.errors import Key, ModelError
from edge.phrases.tokens import tokenize
from edge.tflite.interpreter import SequenceNet
from edge.values import ModelKind
from edge.words.net import WIDTH, SentenceNet, vocabulary
from edge.words.net import tables as net_tables
from edge.words.ngrams import PAIR_BITS, WORD_BITS, known_number, length_scale, pair_rows, word_rows
from edge.words.rated import RATED
from edge.words.speaker import TABLES as SPEAKER_TABLES
from edge.words.speaker import SpeakerModel

Floats = NDArray[np.float32]
# negative and positive come before the causes.
POLARITIES = 2
_NET, _SPEAKER = "net.", "speaker."
# Words whose share is remembered: a vocabulary of everyday English; the memory is emptied when it is full (12 floats a word: 2 MB).
_REMEMBERED = 20_000
# A sentence takes 1 to 2 ms on a PC and several times that on a Pi; a box that needs 150 ms of its processor cannot follow a call.
_BUDGET_MS = 150.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest's `calibration`: from scores to probabilities and a decision.

    Log-odds against neutral are scale * score + net_scale * the net's + shift; a cause's score has net_cause_scale times the net's
    added. `prior` are the shares of negative, neutral, positive that the
    probabilities hold; `decision` is multiplied to them before the largest is taken. `causes` names the cause outputs;
    `cause_factors` bring their softmax back to how common they were in the corpus (training makes rare ones count more).
    """

    scale: tuple[float, float]
    shift: tuple[float, float]
    prior: tuple[float, float, float]
    decision: tuple[float, float, float]
    causes: tuple[str, ...]
    cause_factors: tuple[float, ...]
    net_scale: tuple[float, float] = (0.0, 0.0)
    net_cause_scale: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Calibrated log-odds against neutral (they hold the training prior), and cause label -> probability.

    `shares` says what each distinct word added to positive over negative, `whole` what the net did. `matter` is the net's probability
    that something which went wrong is told, in whatever mood; None without a net.
    """

    negative: float
    positive: float
    causes: Mapping[str, float]
    shares: Mapping[str, float]
    whole: float = 0.0
    matter: float | None = None


class WordsModel:
    """A loaded model. Safe from any thread: what it remembers can be worked out again at any time."""

    def __init__(
        self,
        tables: Mapping[str, NDArray[np.generic]],
        calibration: Calibration,
        label: str | None = None,
        *,
        language: str = "en",
        layers: Callable[[Floats], Floats] | None = None,
    ) -> None:
        """`layers` are those of the net; without them n-grams stand alone."""
        self.calibration, self.label, self.language = calibration, label, language
        self._words = np.asarray(tables["words"], np.int8)
        self._pairs = np.asarray(tables["pairs"], np.int8)
        self._words_scale = np.asarray(tables["words_scale"], np.float32)
        self._pairs_scale = np.asarray(tables["pairs_scale"], np.float32)
        self._dense = np.asarray(tables["dense"], np.float32)
        self._company: dict[int, Floats] = {}
        if "company" in tables:
            company = np.asarray(tables["company"], np.float32) * np.asarray(tables["company_scale"], np.float32)
            self._company = dict(zip(tables["known"].tolist(), company, strict=True))
        self._net = None if layers is None else SentenceNet(_part(tables, _NET), layers)
        speaker = _part(tables, _SPEAKER)
        self.speaker = SpeakerModel(speaker) if speaker else None
        # What 1 of each output adds to positive over negative.
        self._towards = np.zeros(self._dense.shape[1], np.float32)
        self._towards[:POLARITIES] = -calibration.scale[0], calibration.scale[1]
        self._remembered: dict[str, bytes] = {}

    @classmethod
    def load(cls, folder: Path, *, trust: Trust | None = None) -> "WordsModel":
        """The model of the bundle in `folder`. Raises ModelError."""
        bundle = load(folder, kind=ModelKind.WORDS, trust=trust)
        path = bundle.only(".npz")
        try:
            calibration = msgspec.convert(bundle.manifest.calibration, Calibration)
        except msgspec.ValidationError as error:
            raise ModelError(str(error), path=folder / MANIFEST, where=Key("calibration"), remedy="pack the bundle again") from error
        try:
            with np.load(path, allow_pickle=False) as file:
                tables = {name: file[name] for name in file.files}
        except (OSError, ValueError, BadZipFile) as error:
            raise ModelError(f"not tables of numbers ({error})", path=path, remedy="bring the bundle again") from error
        if bundle.manifest.features.get("rated") != list(RATED):
            raise ModelError(
                "not this version's numbers",
                path=folder / MANIFEST,
                where=Key("features.rated"),
                remedy="take the bundle that came with it",
            )
        _check(path, tables, calibration)
        layers = SequenceNet(bundle.only(".tflite"), width=WIDTH, outputs=WIDTH) if f"{_NET}vocabulary" in tables else None
        model = cls(tables, calibration, bundle.label, language=bundle.manifest.language, layers=layers)
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
        negative, positive = (known.scale[at] * outputs[at] + known.shift[at] for at in range(POLARITIES))
        whole, matter, causes = 0.0, None, outputs[POLARITIES:]
        if self._net is not None:
            read = self._net.read(tokens)
            worse, neither, better = read.polarity.tolist()
            more = known.net_scale[0] * (worse - neither), known.net_scale[1] * (better - neither)
            negative, positive, whole = negative + more[0], positive + more[1], more[1] - more[0]
            causes = [score + known.net_cause_scale * net for score, net in zip(causes, read.cause.tolist(), strict=True)]
            matter = 1.0 / (1.0 + math.exp(float(read.matter[0] - read.matter[1])))
        return Scored(
            negative=negative,
            positive=positive,
            causes=dict(zip(known.causes, _softmax(causes, known.cause_factors), strict=True)),
            shares=dict(zip(words, (scale * (by_word @ self._towards)).tolist(), strict=True)),
            whole=whole,
            matter=matter,
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


def _part(tables: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): table for name, table in tables.items() if name.startswith(prefix)}


def _net_tables(path: Path, found: Mapping[str, NDArray[np.generic]]) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """What tables the net must have: as many pieces as its vocabulary names."""
    try:
        pieces = vocabulary({"vocabulary": found[f"{_NET}vocabulary"]})
    except (KeyError, UnicodeDecodeError) as error:
        raise ModelError("'net.vocabulary' is missing or no text", path=path, remedy="bring the bundle again") from error
    if not {"[UNK]", "[CLS]", "[SEP]"} <= set(pieces):
        raise ModelError("'net.vocabulary' lacks its marks", path=path, remedy="bring the bundle again")
    return {f"{_NET}{name}": wanted for name, wanted in net_tables(len(pieces)).items()}


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
    if _part(tables, _NET):
        needed |= _net_tables(path, tables)
    if _part(tables, _SPEAKER):
        needed |= {f"{_SPEAKER}{name}": wanted for name, wanted in SPEAKER_TABLES.items()}
    if len(calibration.cause_factors) != len(calibration.causes):
        raise ModelError(
            "one number a cause is needed",
            path=path.parent / MANIFEST,
            where=Key("calibration.cause_factors"),
            remedy="pack the bundle again",
        )
    for name, (shape, kind) in needed.items():
        table = tables.get(name)
        if table is None or table.shape != shape or table.dtype != kind:
            found = "missing" if table is None else f"{table.dtype} {table.shape}"
            raise ModelError(
                f"'{name}' is {found} where this version needs {kind.__name__} {shape}", path=path, remedy="take the bundle of this version"
            )
        if not np.isfinite(np.asarray(table, np.float64)).all():
            raise ModelError(f"'{name}' holds a number that is none", path=path, remedy="bring the bundle again")
