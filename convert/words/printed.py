"""The words model's figures as a person reads them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convert.metrics import auc
from convert.words.baselines import milliseconds, vader
from convert.words.corpus import LABELS
from convert.words.fit import macro_f1
from convert.words.report import read_sentences
from edge.bundle.manifest import Bundle
from edge.bundle.signature import Trust
from edge.values import Absent
from edge.words.branch import WordsJudge
from edge.words.combine import CALLS
from edge.words.sentiment import Vader

# name in the figures, what it is, at least, aim; ECE is good where it is small.
_MEASURES = (
    ("airline_macro_f1", "airline, held out: macro-F1", "0.755", "0.785"),
    ("airline_auc", "airline, held out: negative AUC", "0.925", "0.945"),
    ("airline_ece", "airline, held out: ECE of p_negative", "<= 0.06", "<= 0.03"),
    ("spoken_macro_f1", "same, spoken, G.711, Vosk: macro-F1", "0.70", "0.74"),
    ("spoken_auc", "same, spoken, G.711, Vosk: negative AUC", "0.885", "0.92"),
    ("cause_macro_f1", "cause (10): macro-F1", "0.55", "0.60"),
    ("cause_top1", "cause (10): top-1", "", ""),
    ("cause_top3", "cause (10): top-3", "0.86", "0.89"),
    ("code_macro_f1", "cause as the box's codes (7 of 16 occur): macro-F1", "", ""),
)


# Held out beside the corpus.
_HELD = (
    ("calm_negative", "matters told calmly, judged negative", "<= 0.10"),
    ("displeased_missed", "told with displeasure, missed", "<= 0.12"),
    ("ranked", "displeased ranked above calm", "0.97"),
    ("said_right", "other sayings, right", "0.90"),
)


def print_table(ours: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> None:
    """Our figures beside the baselines'."""
    spoken = f", {ours['spoken_rows']:.0f} of them spoken" if "spoken_rows" in ours else ""
    print(f"\n{ours['rows']:.0f} rows{spoken}, each judged by a model and a calibration that did not see it")
    print(f"| measure | {' | '.join(others)} | ours | at least | aim |\n|---|{'---|' * (len(others) + 3)}")
    for name, what, least, aim in _MEASURES:
        cells = [f"{found[name]:.3f}" if name in found else "-" for found in (*others.values(), ours)]
        print(f"| {what} | {' | '.join(cells)} | {least} | {aim} |")
    print(f"\n{ours['pairs']:.0f} pairs and {ours['said']:.0f} other sayings held out\n| measure | ours | at least |\n|---|---|---|")
    for name, what, least in _HELD:
        print(f"| {what} | {ours[name]:.3f} | {least} |")
    for group in (name.removesuffix(": turns") for name in ours if name.endswith(": turns")):
        print(f"| {group}, {ours[f'{group}: turns']:.0f} calm turns, judged negative | {ours[f'{group}: negative']:.4f} | |")


def print_shipped(bundle: Bundle, tuned: Sequence[Path], sealed: Sequence[Path], texts: Sequence[str]) -> None:
    """The packed bundle through the box's own path: sentences of other trades, time and size."""
    judge = WordsJudge.load(bundle.folder, trust=Trust(allow_unsigned=True))
    alone = WordsJudge.load(None)
    for kind, paths in (("tuned on", tuned), ("sealed", sealed)):
        for path in paths:
            sentences = read_sentences([path])
            truth = sentences.labels
            plain = vader(sentences.texts, truth)
            for name, one in (("bundle", judge), ("lexicon alone", alone)):
                said, p = judged(one, sentences.texts)
                print(
                    f"{path.name} ({kind}, {len(truth)} sentences), {name}: macro-F1 {macro_f1(truth, said, 3):.3f}, "
                    f"AUC {auc(p, truth == 0):.3f}; VADER {plain['macro_f1']:.3f}, {plain['auc']:.3f}"
                )
    base = milliseconds(Vader().plain, texts)
    whole = milliseconds(judge.judge_text, texts)
    size = sum(path.stat().st_size for path in bundle.folder.iterdir())
    print(f"time a sentence, one thread: VADER {base:.3f} ms, the whole branch {whole:.3f} ms ({whole / base:.2f} x)")
    print(f"size: {size / 1e6:.2f} MB")
    print(f"{bundle.folder}: {bundle.label}, {f'signed with {bundle.signed_by}' if bundle.signed_by else 'NOT signed: boxes refuse it'}")


def judged(judge: WordsJudge, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels (indices of LABELS) and p_negative of `texts`, abstentions as `undertone words` prints them."""
    readings = [judge.judge_text(text) for text in texts]
    label: Callable[[object], str] = str
    said = [1 if isinstance(reading, Absent) else LABELS.index(label(reading.label)) for reading in readings]
    p = [CALLS[0] if isinstance(reading, Absent) else reading.p_negative for reading in readings]
    return np.array(said, np.int64), np.array(p)
