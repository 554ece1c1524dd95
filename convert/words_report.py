"""What the words model is worth on rows that it did not see: tweets, the same spoken, causes. Its baselines are in words_baselines."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from convert.metrics import auc, ece
from convert.words_corpus import CAUSES, LABELS
from convert.words_fit import Floats, fit_decision, fit_scale, fit_shift, macro_f1, softmax, top_k
from convert.words_train import Material, Reader, train
from edge.errors import UsageError
from edge.words.causes import Causes
from edge.words.combine import by_code
from edge.words.model import POLARITIES
from edge.words.tokens import tokenize

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
    texts: list[str] = []
    labels: list[int] = []
    for path in paths:
        try:
            items = [(str(item["text"]), item["label"]) for item in yaml.safe_load(path.read_text(encoding="utf-8"))]
        except (OSError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError) as error:
            raise UsageError(f"{path}: cannot be read ({error}); give a YAML list of {{text, label}}") from error
        for text, label in items:
            if label not in LABELS:
                raise UsageError(f"{path}: '{text}': label '{label}' is none of {', '.join(LABELS)}; rename it")
            texts.append(text)
            labels.append(LABELS.index(label))
    return Sentences(texts=texts, labels=np.array(labels, np.int64))


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
    cause_scale: float
    cause_shift: Floats
    cause_decision: Floats

    def p(self, outputs: Floats) -> Floats:
        """Probabilities of negative, neutral, positive."""
        return probabilities(outputs, self.scale, self.shift)

    def causes(self, outputs: Floats) -> Floats:
        """Probabilities of CAUSES, were it a complaint."""
        return softmax(self.cause_scale * outputs[:, POLARITIES:] + self.cause_shift)


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
    blamed = clean[causes >= 0][:, POLARITIES:]
    cause_scale, cause_shift = fit_shift(blamed, causes[causes >= 0])
    return Fitted(
        scale=scale,
        shift=shift,
        decision=(math.exp(-shift[0]), 1.0, math.exp(-shift[1])),
        cause_scale=cause_scale,
        cause_shift=cause_shift,
        cause_decision=fit_decision(softmax(cause_scale * blamed + cause_shift), causes[causes >= 0]),
    )


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
        cause_p[mine] = fitted.causes(outputs.clean[mine])
        cause_said[mine] = (cause_p[mine] * fitted.cause_decision).argmax(axis=1)
        told = told_place == fold
        heard_p[told] = fitted.p(outputs.spoken[told])
        heard_said[told] = (heard_p[told] * fitted.decision).argmax(axis=1)
    labels, causes = given.labels[outputs.tested], given.causes[outputs.tested]
    found = {
        "airline_macro_f1": macro_f1(labels, said, 3),
        "airline_auc": auc(p[:, 0], labels == 0),
        "airline_ece": ece(p[:, 0], labels == 0),
        "cause_macro_f1": macro_f1(causes[causes >= 0], cause_said[causes >= 0], len(CAUSES)),
        "cause_top1": top_k(cause_p[causes >= 0], causes[causes >= 0], 1),
        "cause_top3": top_k(cause_p[causes >= 0], causes[causes >= 0], 3),
        "rows": float(len(labels)),
    }
    found["code_macro_f1"] = _codes(outputs, cause_p, given)
    if len(outputs.heard):
        heard_labels = given.labels[outputs.heard]
        found |= {
            "spoken_macro_f1": macro_f1(heard_labels, heard_said, 3),
            "spoken_auc": auc(heard_p[:, 0], heard_labels == 0),
            "spoken_rows": float(len(heard_labels)),
        }
    return found


def _codes(outputs: Outputs, cause_p: Floats, given: Material) -> float:
    """Macro-F1 over the taxonomy's codes that the corpus has, as the box names them: cue phrases joined with the learned causes."""
    taxonomy = Causes.load()
    names = taxonomy.airline
    codes = sorted(set(names.values()))
    truth, said = [], []
    for position, p in zip(outputs.tested, cause_p, strict=True):
        if given.causes[position] < 0:
            continue
        named = taxonomy.judge(tokenize(given.rows[position].text), by_code(dict(zip(CAUSES, p.tolist(), strict=True)), names))
        truth.append(codes.index(names[CAUSES[given.causes[position]]]))
        said.append(codes.index(named.code) if named is not None and named.code in codes else len(codes))
    return macro_f1(np.array(truth), np.array(said), len(codes))
