"""What the words model is worth on rows that it did not see: tweets, the same spoken, causes. Its baselines are in words_baselines."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from convert.metrics import auc, ece
from convert.words.corpus import CAUSES, LABELS
from convert.words.fit import Floats, fit_decision, fit_scale, fit_shift, macro_f1, softmax, top_k
from convert.words.held_out import HeldOutSet, held_figures, weights_of
from convert.words.sets import is_plain
from convert.words.train import Material, Reader
from convert.words.trained import NetRecipe, Scores, learn, scores, stacked
from edge.errors import UsageError
from edge.files.text import unread
from edge.phrases.causes import Causes
from edge.phrases.tokens import tokenize
from edge.words.combine import CALLS, by_code

Ints = NDArray[np.int64]
# What probabilities of negative, neutral, positive are multiplied by before the largest is taken: a missed displeasure costs more than a
# calm turn judged negative (docs/words-experiments.md).
DECISION = (2.0, 1.0, 1.0)


@dataclass(slots=True, kw_only=True)
class Outputs:
    """Raw scores where the model had not seen the row.

    `clean`: of every row tested; `spoken`: of those heard; `held`: of the held-out sentences, by the model without each fold.
    """

    tested: Ints
    clean: Scores
    heard: Ints
    spoken: Scores
    held: Mapping[int, Scores]


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
            raise UsageError(unread(error), path=path, remedy="give a YAML list of {text, label}") from error
        for text, label in items:
            if label not in LABELS:
                raise UsageError(f"'{text}': label '{label}' is none of {', '.join(LABELS)}", path=path, remedy="rename it")
            texts.append(text)
            labels.append(LABELS.index(label))
    return Sentences(texts=texts, labels=np.array(labels, np.int64))


def out_of_fold(
    given: Material, folds: Ints, reader: Reader, held: HeldOutSet, recipe: NetRecipe | None, *, seed: int,
    only: Sequence[int] | None = None, name: str = "fold", say: Callable[[str], None] = print,
) -> Outputs:  # fmt: skip
    """Train once without each fold (those of `only`) and let that model judge it, and the held-out sentences."""
    heard = np.array(sorted(given.spoken), np.int64)
    rows = [reader.own(row.text) for row in given.rows]
    said = [" ".join(given.spoken[int(position)]) for position in heard]
    heard_features, heard_tokens = reader.read(said), [reader.own(text) for text in said]
    held_features, held_tokens = reader.read(held.texts), [reader.own(text) for text in held.texts]
    chosen = sorted(set(folds.tolist())) if only is None else list(only)
    clean: list[Scores] = []
    spoken: list[Scores] = []
    beside: dict[int, Scores] = {}
    for fold in chosen:
        began = time.monotonic()
        model = learn(given, np.flatnonzero(folds != fold), reader, recipe, seed=seed + fold, name=f"{name}-{fold}", say=say)
        tested, told = np.flatnonzero(folds == fold), np.flatnonzero(folds[heard] == fold)
        clean.append(scores(model, given.clean[tested], [rows[at] for at in tested]))
        spoken.append(scores(model, heard_features[told], [heard_tokens[at] for at in told]))
        beside[fold] = scores(model, held_features, held_tokens)
        say(f"fold {fold}: trained without {len(tested)} rows, {time.monotonic() - began:.0f} s")
    tested = np.concatenate([np.flatnonzero(folds == fold) for fold in chosen])
    told = np.concatenate([heard[folds[heard] == fold] for fold in chosen])
    return Outputs(tested=tested, clean=stacked(clean), heard=told, spoken=stacked(spoken), held=beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Calibration fitted on scores for rows and sentences that the model had not seen.

    Of each pair of numbers the n-grams' comes first, then the net's. `negative`, `positive`: how much each score counts for the
    log-odds against neutral; `causes`: for the causes.
    """

    negative: Floats
    positive: Floats
    shift: tuple[float, float]
    decision: tuple[float, float, float]
    causes: Floats
    cause_shift: Floats
    cause_decision: Floats

    def p(self, given: Scores) -> Floats:
        """Probabilities of negative, neutral, positive."""
        worse, better = given.negative @ self.negative + self.shift[0], given.positive @ self.positive + self.shift[1]
        return softmax(np.stack([worse, np.zeros_like(worse), better], axis=1))

    def said(self, given: Scores) -> Ints:
        """Labels, as indices of LABELS."""
        return np.asarray((self.p(given) * self.decision).argmax(axis=1))

    def cause_p(self, given: Scores) -> Floats:
        """Probabilities of CAUSES, were it a complaint."""
        return softmax(np.einsum("rmc,m->rc", given.causes, self.causes) + self.cause_shift)


def calibrate(outputs: Outputs, given: Material, held: HeldOutSet, rows: NDArray[np.bool_] | None = None) -> Fitted:
    """Fit on `outputs` (those of `rows` alone, if given) and on the held-out sentences: classes count as they are common on calls."""
    used = np.ones(len(outputs.tested), bool) if rows is None else rows
    clean, labels = outputs.clean[used], given.labels[outputs.tested[used]]
    beside = stacked(list(outputs.held.values()))
    plain = np.array([is_plain(text) or label != LABELS.index("neutral") for text, label in zip(held.texts, held.labels, strict=True)])
    of_rows, of_held = weights_of(labels, held, plain)
    negative, positive, shift = fit_scale(
        np.concatenate([clean.negative, beside.negative]),
        np.concatenate([clean.positive, beside.positive]),
        np.concatenate([labels, np.tile(held.labels, len(outputs.held))]),
        np.concatenate([of_rows, np.tile(of_held / len(outputs.held), len(outputs.held))]),
    )
    causes = given.causes[outputs.tested[used]]
    blamed = clean[causes >= 0].causes
    cause_scale, cause_shift = fit_shift(blamed, causes[causes >= 0])
    return Fitted(
        negative=negative,
        positive=positive,
        shift=shift,
        decision=DECISION,
        causes=cause_scale,
        cause_shift=cause_shift,
        cause_decision=fit_decision(softmax(np.einsum("rmc,m->rc", blamed, cause_scale) + cause_shift), causes[causes >= 0]),
    )


def figures(outputs: Outputs, given: Material, folds: Ints, held: HeldOutSet) -> dict[str, float]:
    """The table's figures for our model: each fold calibrated on the others, so that no row is judged by what was fitted on it."""
    p, said = np.zeros((len(outputs.tested), 3)), np.zeros(len(outputs.tested), np.int64)
    cause_said, cause_p = np.zeros(len(outputs.tested), np.int64), np.zeros((len(outputs.tested), len(CAUSES)))
    heard_p, heard_said = np.zeros((len(outputs.heard), 3)), np.zeros(len(outputs.heard), np.int64)
    place, told_place = folds[outputs.tested], folds[outputs.heard]
    if len(set(place.tolist())) == 1:
        # One fold alone is calibrated on its one half and judged on the other, both ways.
        place, told_place = outputs.tested % 2, outputs.heard % 2
    for fold in sorted(set(place.tolist())):
        mine, told = place == fold, told_place == fold
        fitted = calibrate(outputs, given, held, ~mine)
        p[mine], said[mine] = fitted.p(outputs.clean[mine]), fitted.said(outputs.clean[mine])
        cause_p[mine] = fitted.cause_p(outputs.clean[mine])
        cause_said[mine] = (cause_p[mine] * fitted.cause_decision).argmax(axis=1)
        heard_p[told], heard_said[told] = fitted.p(outputs.spoken[told]), fitted.said(outputs.spoken[told])
    labels, causes = given.labels[outputs.tested], given.causes[outputs.tested]
    found = {
        "airline_macro_f1": macro_f1(labels, said, 3),
        "airline_auc": auc(p[:, 0], labels == 0),
        "airline_ece": ece(_with_prior(p, labels)[:, 0], labels == 0),
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
    fitted = calibrate(outputs, given, held)
    by_fold = [held_figures(fitted.p(one), fitted.said(one), held) for one in outputs.held.values()]
    return found | {name: float(np.mean([one[name] for one in by_fold])) for name in by_fold[0]}


def _with_prior(p: Floats, labels: Ints) -> Floats:
    """`p`, which holds how common the classes are on calls, with how common they are among `labels` instead."""
    moved = p * (np.bincount(labels, minlength=len(LABELS)) / len(labels) / np.array(CALLS))
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))


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
