"""undertone-convert evaluate: who is tested by whom, figures, and the page."""

from pathlib import Path

import numpy as np
import pytest

from convert.__main__ import build_parser
from convert.evaluation.evaluate import _conditions, _protocols
from convert.evaluation.page import render
from convert.evaluation.protocols import SAYS, Report, Result, folds
from convert.evaluation.score import Scored, figures
from convert.sound.corpora import Clip
from edge.errors import UsageError
from edge.voice.labels import LABELS


def people(corpus, speakers, items):
    return [
        Clip(path=Path(f"{corpus}-{s}-{i}-{label}.wav"), label=label, speaker=f"{corpus}:{s}", corpus=corpus, item=str(i))
        for s in range(speakers)
        for i in range(items)
        for label in LABELS
    ]


EVERYBODY = [*people("tess", 2, 10), *people("ravdess", 18, 2), *people("nemo", 9, 2)]


@pytest.mark.parametrize("protocol", ["held-out", "tess-actress", "ravdess-kfold", "corpus"])
def test_nobody_is_on_both_sides_of_an_honest_protocol(protocol):
    for fold in folds(protocol, EVERYBODY, seed=1, parts=3):
        trained, tested = {c.speaker for c in fold.train}, {c.speaker for c in fold.test}
        if protocol == "held-out" and fold.name == "tess":  # two speakers: words are held out
            assert not {(c.speaker, c.item) for c in fold.train} & {(c.speaker, c.item) for c in fold.test}
            continue
        assert not trained & tested
        assert not {c.path for c in fold.calibrate} & {c.path for c in (*fold.train, *fold.test)}


def test_the_random_protocol_leaks_voices_by_design():
    (fold,) = folds("random", EVERYBODY, seed=1, parts=3)
    assert {c.speaker for c in fold.test} == {c.speaker for c in fold.train}
    assert not set(fold.train) & set(fold.test)


def test_every_actor_is_tested_once_in_turn():
    tested = [c.path for fold in folds("ravdess-kfold", EVERYBODY, seed=1, parts=3) for c in fold.test]
    assert sorted(tested) == sorted(c.path for c in EVERYBODY if c.corpus == "ravdess")


def test_a_protocol_without_its_corpus_says_which_one_is_needed():
    with pytest.raises(UsageError, match="--tess"):
        list(folds("random", people("nemo", 9, 1), seed=1, parts=3))
    with pytest.raises(UsageError, match="two corpora"):
        list(folds("corpus", people("nemo", 9, 1), seed=1, parts=3))


def test_wrong_protocols_and_conditions_are_named():
    parser = build_parser()
    with pytest.raises(UsageError, match="guess"):
        _protocols(parser.parse_args(["evaluate", "--protocol", "guess"]))
    with pytest.raises(UsageError, match="--bundle"):
        _protocols(parser.parse_args(["evaluate", "--protocol", "as-is"]))
    assert _protocols(parser.parse_args(["evaluate", "--bundle", "x"])) == ["as-is"]
    assert _conditions("phone,10") == ("phone", "phone, 10 dB SNR")
    with pytest.raises(UsageError, match="loud"):
        _conditions("loud")


def scored(right, n=70):
    """n clips of ten speakers, judged right or always one label further."""
    truth = np.arange(n) % 7
    guess = truth if right else (truth + 1) % 7
    probs = np.full((n, 7), 0.02)
    probs[np.arange(n), guess] = 0.88
    polarity = np.stack([probs[:, [0, 1, 2, 5]].sum(axis=1), probs[:, 4], probs[:, [3, 6]].sum(axis=1)], axis=1)
    return Scored(
        truth=truth, speakers=tuple(f"s{i % 10}" for i in range(n)), probs=probs, polarity=polarity, quality=np.ones(n),
        float_logits=None, reasons=tuple(None if i else "too_short" for i in range(n)),
    )  # fmt: skip


def test_figures_tell_a_perfect_net_from_one_with_shifted_labels():
    good, bad = figures(scored(right=True), 1.0), figures(scored(right=False), 1.0)
    assert good.uar.value == 1.0
    assert good.negative_auc.value == 1.0
    assert bad.uar.value == 0.0
    assert bad.negative_auc.value < 1.0
    assert good.not_judged == {"too_short": 1}
    assert good.coverage == pytest.approx(69 / 70)
    assert good.ece_before == pytest.approx(good.ece_after)


def test_the_page_shows_each_fold_and_escapes_what_it_is_told():
    results = [
        Result(
            protocol=p, fold=f, trained_on="x", tested_on="<script>", condition="phone", net="int8", figures=figures(scored(right=ok), 1.0)
        )
        for p, f, ok in (("random", "tess", True), ("tess-actress", "from OAF", False))
    ]
    report = Report(
        made="now", undertone="0", model="<b>", model_sha256="0" * 64, licence="l", given=("tess",), recipe="",
        says=SAYS, results=tuple(results),
    )  # fmt: skip
    page = render(report)
    assert "<script>" not in page
    assert "&lt;b&gt;" in page
    assert "from OAF" in page
    assert page.count("<svg") == 7  # an overview, and three plots for each fold


@pytest.mark.parametrize(
    ("given", "says", "says_not"),
    [
        (("csv",), "Clips of your own", "acted"),
        (("tess", "nemo"), "TESS, nEMO: acted speech", "of your own"),
        (("ased", "csv"), "acted", "[]"),
    ],
)
def test_the_page_calls_only_corpora_acted_and_says_that_few_clips_say_little(given, says, says_not):
    found = figures(scored(right=True, n=28), 1.0)
    result = Result(protocol="as-is", fold="csv", trained_on="x", tested_on="y", condition="phone", net="int8", figures=found)
    report = Report(
        made="now", undertone="0", model="m", model_sha256="", licence="l", given=given, recipe="", says=SAYS, results=(result,)
    )  # fmt: skip
    page = render(report)
    assert says in page
    assert says_not not in page
    assert "csv: 28 clips of 10 speakers" in page
