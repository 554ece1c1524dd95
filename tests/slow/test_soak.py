"""The short form of `python -m tests.soak`, and that it would see a leak."""

import numpy as np
import pytest
import soundfile

from tests.soak import Outcome, Sample, day, slope, soak


def samples(memory_mb) -> list[Sample]:
    return [Sample(heard_h=n / 100, memory_mb=mb, files=20, threads=9) for n, mb in enumerate(memory_mb)]


def test_memory_that_goes_up_and_down_with_calls_has_no_slope_and_a_leak_of_3_percent_has_one():
    chance = np.random.default_rng(1)
    # Later there are fewer calls, as chance would have it.
    calls = np.where(chance.random(400) < np.linspace(0.9, 0.5, 400), 300, 0)
    memory = 300 + calls + chance.normal(0, 3, 400)
    assert abs(slope(samples(memory))[0]) < 0.01
    over, per_hour = slope(samples(memory + np.linspace(0, 0.03 * 600, 400)))
    assert over == pytest.approx(0.03, abs=0.01)
    assert per_hour == pytest.approx(0.03 / 3.99, abs=0.003)


@pytest.mark.parametrize("what", ["slope", "files_grown", "threads_grown", "dropped_ms", "missing_frames"])
def test_any_growth_or_loss_fails_it(what):
    good = {"slope": 0.01, "files_grown": 0, "threads_grown": 0, "dropped_ms": 0, "missing_frames": 0}
    rest = {"hours_a_line": 2, "lines": 4, "speed": 0, "calls": 9, "slope_per_hour": 0.0, "memory_mb": 1.0, "seconds": 1.0}
    assert Outcome(**good, **rest).good
    assert not Outcome(**{**good, what: 1}, **rest).good


def test_a_day_is_as_long_as_asked_and_half_of_it_is_calls(tmp_path):
    calls = day(tmp_path / "day.wav", 1.0, seed=1)
    sound = soundfile.info(tmp_path / "day.wav")
    assert (sound.samplerate, sound.channels, sound.frames) == (8000, 2, 3600 * 8000)
    assert 5 <= calls <= 30
    pcm, _ = soundfile.read(tmp_path / "day.wav", dtype="int16")
    loud = np.abs(pcm[: len(pcm) // 8000 * 8000].reshape(-1, 8000, 2)).max(axis=(1, 2)) > 500
    assert 0.25 < loud.mean() < 0.75


@pytest.mark.takes(20)
def test_the_service_hears_every_frame_of_it_on_four_lines_and_keeps_its_descriptors(tmp_path):
    outcome, seen = soak(tmp_path, hours_a_line=0.01, speed=0, seed=1, bar=False)
    assert (outcome.dropped_ms, outcome.missing_frames) == (0, 0)
    assert max(outcome.files_grown, outcome.threads_grown) <= 0
    assert len(seen) > 3
    assert outcome.calls == 4
