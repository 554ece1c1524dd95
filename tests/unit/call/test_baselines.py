"""What each line of a box is used to: learnt where it is kept, by line and by model, and by nobody else."""

from types import SimpleNamespace

import msgspec
import pytest

from edge.call.baselines import Baselines, CallsHeard
from edge.service.baselines import KeptBaselines
from edge.voice import baseline_file
from edge.voice.baseline import Heard, unlearnt
from edge.voice.prior import prior_of, shipped_prior

PRIOR = shipped_prior()
OTHER = prior_of("voice-9.9.9")
CALL = [Heard(negative=-2.0, positive=-1.0, quality=0.9)] * 8


def learns():
    told = []
    return Baselines(keep=told.append), told


def test_a_line_learns_from_its_own_calls_alone():
    baselines, told = learns()
    baselines.call_over("line-1", PRIOR, CALL)
    assert baselines.of("line-1", PRIOR).calls == 1
    assert baselines.of("line-2", PRIOR) == unlearnt(PRIOR)
    assert told == [{"line-1": baselines.of("line-1", PRIOR)}]


def test_another_model_begins_anew():
    baselines, _ = learns()
    baselines.call_over("line-1", PRIOR, CALL)
    assert baselines.of("line-1", OTHER) == unlearnt(OTHER)
    baselines.call_over("line-1", OTHER, CALL)
    assert (baselines.of("line-1", OTHER).calls, baselines.of("line-1", PRIOR).calls) == (1, 0)


def test_a_replay_learns_nothing_on_the_way():
    for baselines in (Baselines(), CallsHeard()):
        baselines.call_over("line-1", PRIOR, CALL)
        assert baselines.of("line-1", PRIOR) == unlearnt(PRIOR)


def test_a_learnt_file_stands_for_every_line():
    used = msgspec.structs.replace(unlearnt(PRIOR), calls=20)
    assert Baselines({baseline_file.ANY_LINE: used}).of("whatever", PRIOR) == used


def kept(folder, prior=PRIOR):
    return KeptBaselines(folder, SimpleNamespace(label=prior.model, prior=prior))


def test_a_box_remembers_over_a_restart(tmp_path):
    for calls in range(1, 4):
        box = kept(tmp_path)
        box.baselines.call_over("line-1", PRIOR, CALL)
        assert kept(tmp_path).baselines.of("line-1", PRIOR).calls == calls
        assert not list(box.problems(["line-1"]))


@pytest.mark.parametrize("spoil", [lambda whole: whole[:40], lambda whole: whole.replace(b"-0.", b"-3."), lambda _: b""])
def test_a_spoilt_file_is_told_by_name_until_it_is_written_anew(tmp_path, spoil):
    path = tmp_path / baseline_file.FILE
    kept(tmp_path).baselines.call_over("line-1", PRIOR, CALL)
    path.write_bytes(spoil(path.read_bytes()))
    box = kept(tmp_path)
    assert [str(path) in one.fault for one in box.problems(["line-1"])] == [True]
    assert box.baselines.of("line-1", PRIOR) == unlearnt(PRIOR)
    box.baselines.call_over("line-1", PRIOR, CALL)
    assert not list(box.problems(["line-1"]))
    assert kept(tmp_path).baselines.of("line-1", PRIOR).calls == 1


def test_another_models_file_is_told_by_name(tmp_path):
    kept(tmp_path).baselines.call_over("line-1", PRIOR, CALL)
    assert [PRIOR.model in one.fault for one in kept(tmp_path, OTHER).problems(["line-1"])] == [True]


def test_drift_is_told_of_the_line_that_drifts(tmp_path):
    box = kept(tmp_path)
    for _ in range(20):
        box.baselines.call_over("line-1", PRIOR, [Heard(negative=0.0, positive=-0.3, quality=0.9)] * 8)
    for _ in range(12):
        box.baselines.call_over("line-1", PRIOR, [Heard(negative=3.5, positive=-0.3, quality=0.9)] * 8)
    assert [one.where for one in box.problems(["line-1", "line-2"])] == ["line-1"]
    assert not list(box.problems(["line-2"]))


def test_a_disk_that_takes_nothing_stops_no_call(tmp_path):
    box = kept(tmp_path / "missing")
    box.baselines.call_over("line-1", PRIOR, CALL)
    assert box.baselines.of("line-1", PRIOR).calls == 1
