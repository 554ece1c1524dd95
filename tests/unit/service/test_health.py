"""What is wrong with a channel's level, and what the process uses."""

import math
import subprocess
import sys

import numpy as np
import pytest

from edge.errors import Problem
from edge.service import levels as health
from edge.service.levels import LevelWatch, level
from edge.service.resources import memory_available_mb
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Frame, Role
from tests.paths import ROOT

SECONDS = 40
T = np.arange(SAMPLE_RATE * SECONDS) / SAMPLE_RATE
RNG = np.random.default_rng(1)


def watched(*channels: np.ndarray, lost=False, in_call=True) -> list[tuple[Problem, ...]]:
    """What a watch says after each second."""
    sound = np.stack([np.clip(np.rint(channel), -32768, 32767) for channel in channels]).astype(np.int16)
    watch, said = LevelWatch((Role.CUSTOMER, Role.AGENT)[: len(channels)]), []
    for start in range(0, sound.shape[1], FRAME_SAMPLES):
        wrong = watch.feed(Frame(start=start, pcm=sound[:, start : start + FRAME_SAMPLES], lost=lost), in_call=in_call)
        if (start + FRAME_SAMPLES) % SAMPLE_RATE == 0:
            said.append(wrong)
    return said


def speech() -> np.ndarray:
    """Noise that comes and goes as words do, over a line's own noise: level and peaks of a call."""
    words = np.repeat(RNG.random(SECONDS * 4) > 0.5, SAMPLE_RATE // 4)
    return RNG.normal(0, 1500, len(T)) * words + RNG.normal(0, 60, len(T))


def test_a_good_call_is_told_nothing():
    assert set(watched(speech(), speech())) == {()}


@pytest.mark.parametrize(
    ("sound", "says", "within_s"),
    [
        (np.zeros_like(T), "digital silence", 31),
        (np.full_like(T, 4711), "stuck level", 11),
        (60_000 * np.sin(2 * np.pi * 300 * T), "clipped", 11),
        (RNG.normal(8000, 200, len(T)), "constant offset", 11),
        (2000 * np.sin(2 * np.pi * 50 * T) + RNG.normal(0, 50, len(T)), "mains hum", 11),
        (2000 * np.sin(2 * np.pi * 60 * T) + 1500 * np.sin(2 * np.pi * 180 * T), "mains hum", 11),
    ],
)
def test_each_fault_is_told_with_its_channel_and_remedy_and_only_on_that_channel(sound, says, within_s):
    said = watched(speech(), sound)
    first = next(second for second, wrong in enumerate(said, 1) if wrong)
    assert first <= within_s
    assert len(said[-1]) == 1
    assert said[-1][0].fault.startswith(f"agent: {says}")
    assert said[-1][0].remedy


def test_a_speaker_who_is_clipped_is_told_though_he_pauses():
    loud = np.where(T % 4 < 2, 60_000 * np.sin(2 * np.pi * 300 * T), RNG.normal(0, 20, len(T)))
    assert watched(loud)[-1] == (Problem(what="clipped", where="customer", remedy="turn the capture gain down"),)


def test_a_whole_call_that_is_very_quiet_is_told_and_the_next_good_one_clears_it():
    quiet, watch = RNG.normal(0, 4, SAMPLE_RATE), LevelWatch((Role.CUSTOMER,))

    def minute_of(sound, *, in_call, seconds=61):
        pcm = np.rint(sound).astype(np.int16).reshape(1, -1)
        frames = [Frame(start=n, pcm=pcm[:, n : n + FRAME_SAMPLES]) for n in range(0, SAMPLE_RATE, FRAME_SAMPLES)]
        return [watch.feed(frame, in_call=in_call) for _ in range(seconds) for frame in frames][-1]

    told = (Problem(what="very quiet all through the call", where="customer", remedy="turn the capture gain up"),)
    assert minute_of(quiet, in_call=False) == ()
    assert minute_of(quiet, in_call=True, seconds=59) == ()
    assert minute_of(quiet, in_call=True, seconds=1) == told
    assert minute_of(quiet, in_call=False) == told
    assert minute_of(quiet * 1000, in_call=True, seconds=1) == ()


def test_a_line_that_is_silent_by_nature_is_not_blamed_for_it_between_calls_but_in_one_and_after_a_weekend(monkeypatch):
    monkeypatch.setattr(health, "_NO_CALLS_S", 600)
    sound, zeros, watch = RNG.normal(0, 1500, SAMPLE_RATE), np.zeros(SAMPLE_RATE), LevelWatch((Role.CUSTOMER,))

    def after(second, seconds, *, in_call=False):
        pcm = np.rint(second).astype(np.int16).reshape(1, -1)
        frames = [Frame(start=n, pcm=pcm[:, n : n + FRAME_SAMPLES]) for n in range(0, SAMPLE_RATE, FRAME_SAMPLES)]
        return [watch.feed(frame, in_call=in_call) for _ in range(seconds) for frame in frames][-1]

    remedy = "no call now, or check cable, jack and mute"
    silent = (Problem(what="digital silence for more than 30 s", where="customer", remedy=remedy),)
    for _ in range(3):
        # Nobody knows yet whether it is the line's nature.
        assert after(zeros, 31) == silent
        assert after(sound, 5, in_call=True) == ()
    assert after(zeros, 600) == ()
    assert after(zeros, 1) == silent
    assert after(sound, 5, in_call=True) == ()
    assert after(zeros, 1) == ()
    assert after(zeros, 60, in_call=True) == (
        Problem(what="digital silence all through the call", where="customer", remedy="check cable, jack and mute"),
    )
    assert after(sound, 1, in_call=True) == ()


def test_a_fault_that_goes_is_no_longer_told():
    sound = np.where(T < 20, 60_000 * np.sin(2 * np.pi * 300 * T), speech())
    said = watched(sound)
    assert said[18]
    assert said[-1] == ()


def test_a_hole_is_no_silence():
    assert set(watched(np.zeros_like(T), lost=True)) == {()}


@pytest.mark.parametrize("tones", [(350, 440), (480, 620), (440, 480), (425,), (300,)])
def test_signal_tones_are_no_hum(tones):
    assert set(watched(sum(3000 * np.sin(2 * np.pi * hertz * T) for hertz in tones))) == {()}


def test_speech_with_a_low_voice_is_no_hum():
    low = sum(3000 / n * np.sin(2 * np.pi * 110 * n * T) for n in range(1, 20))
    assert set(watched(low)) == {()}


def test_level_figures():
    full = level(np.rint(32767 * np.sin(2 * np.pi * 1000 * T[:SAMPLE_RATE])).astype(np.int16))
    assert abs(full.rms_dbfs + 3.01) < 0.01
    assert level(np.zeros(100, np.int16)).rms_dbfs == -math.inf


def test_resources_are_those_of_this_process(tmp_path):
    # In a process of its own: what earlier cases gave back would be taken before anything new.
    code = (
        "import os, sys; from pathlib import Path; import numpy as np; from edge.service.resources import resources\n"
        "before = resources(Path(sys.argv[1])); kept = np.ones(50_000_000, np.uint8)\n"
        "files = [Path(os.devnull).open() for _ in range(10)]\n"
        "after = resources(Path(sys.argv[1]) / 'not' / 'made' / 'yet')\n"
        "assert kept.sum() == 50_000_000\n"
        "print(after.memory_mb - before.memory_mb, after.open_files - before.open_files, after.disk_free_mb, after.cpu_s - before.cpu_s)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    memory_mb, open_files, disk_free_mb, cpu_s = map(float, done.stdout.split())
    assert memory_mb > 40
    assert open_files == 10
    assert disk_free_mb > 0
    assert cpu_s >= 0
    assert memory_available_mb() > 0
