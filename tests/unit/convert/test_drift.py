"""What is said of two models on a technician's clips: figures with intervals, and no verdict where there are too few."""

from pathlib import Path

import pytest

from convert.fleet.drift import probation, right
from convert.sound.corpora import Clip
from edge.call.trial import Answer


def clips(n):
    return [
        Clip(path=Path(f"{i}.wav"), label="angry" if i % 2 else "neutral", speaker=f"csv:{i % 7}", corpus="csv", item=str(i))
        for i in range(n)
    ]


def answers(n, *, better=0.0):
    """The old model is right in two of three, the new one is surer of what is so."""
    said = []
    for i in range(n):
        angry, wrong = i % 2 == 1, i % 3 == 0
        p = 0.6 if angry != wrong else 0.4
        said.append((Answer(p_negative=p, label="x"), Answer(p_negative=p + (better if angry else -better), label="x")))
    return said


@pytest.mark.parametrize("n", [1, 28, 29])
def test_a_handful_has_figures_and_no_verdict(n):
    figures, verdict = probation("voice", answers(n))
    assert f"another label 0% (0%-{'79' if n == 1 else '12'}%)" in figures
    assert verdict.startswith("too few to judge")
    assert f"give {30 - n} more" in verdict


def test_thirty_have_a_verdict():
    assert list(probation("voice", answers(30)))[-1].startswith("a box's probation on these would keep it")
    assert "take it back" in list(probation("voice", answers(30, better=0.39)))[-1]


def test_models_that_read_nothing_are_not_compared():
    assert list(probation("voice", [(None, None)] * 40)) == ["both models read none of these 40: there is nothing to compare"]


def test_who_is_right_is_told_with_an_interval_and_chance_is_called_chance():
    assert "no difference shown" in right(answers(28), clips(28))
    assert right(answers(60, better=0.15), clips(60)).endswith(": better")
    assert right(answers(60, better=-0.3), clips(60)).endswith(": worse")
    only_angry = [clip for clip in clips(40) if clip.label == "angry"]
    assert "it takes clips of both kinds" in right(answers(len(only_angry)), only_angry)
