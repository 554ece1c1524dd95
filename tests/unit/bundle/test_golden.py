"""Golden vectors: a bundle proves itself on the box, within its time."""

import numpy as np
import pytest

from edge.bundle import golden
from edge.errors import ModelError


def loudness(case):
    return {"mean": [float(np.abs(case.audio.pcm().astype(np.int64)).mean())]}


def test_golden_sound_is_the_same_bits_on_every_machine():
    sums = [int(case.audio.pcm().astype(np.int64).sum()) for case in golden.speech_cases()]
    firsts = [case.audio.pcm()[4000:4004].tolist() for case in golden.speech_cases()]
    assert sums == SOUND_SUMS
    assert firsts[0] == SOUND_FIRST


def test_golden_vectors_pass_where_they_were_recorded_and_fail_when_the_model_changes(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.record(golden.speech_cases(), loudness, {"mean": 0.01}))
    assert golden.check(path, loudness, budget_ms=1000) >= 0
    with pytest.raises(ModelError, match=r"low-steady.*off by"):
        golden.check(path, lambda case: {"mean": [loudness(case)["mean"][0] + 0.02]}, budget_ms=1000)
    with pytest.raises(ModelError, match="off by inf"):
        golden.check(path, lambda _: {"mean": [float("nan")]}, budget_ms=1000)
    with pytest.raises(ModelError, match="no 1 numbers"):
        golden.check(path, lambda _: {}, budget_ms=1000)


def test_a_model_too_slow_for_this_box_is_refused_with_its_time(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.record(golden.speech_cases(), loudness, {"mean": 0.01}))
    with pytest.raises(ModelError, match="too slow"):
        golden.check(path, loudness, budget_ms=0.0)


def test_a_golden_file_without_cases_proves_nothing_and_is_refused(tmp_path):
    path = tmp_path / "golden.json"
    golden.write(path, golden.Golden(tolerance={}, cases=()))
    with pytest.raises(ModelError, match="empty"):
        golden.check(path, loudness, budget_ms=1000)


SOUND_SUMS = [-74688, -16173, -348892, -16245]
SOUND_FIRST = [-68, -137, 131, -150]
