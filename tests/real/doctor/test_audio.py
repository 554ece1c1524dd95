"""The doctor listens to each line: its levels, and what is wrong with its sound."""

import os
import re
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from edge.capture import wavfile
from edge.config import LineConfig, SourceConfig
from edge.doctor import audio
from edge.doctor.finding import Outcome
from edge.segment.synthetic import dialogue, speech
from edge.values import Role
from tests.pulse import PulseAudio
from tests.real.doctor.running import service_says

TWO = (Role.CUSTOMER, Role.AGENT)


def line(**source: object) -> LineConfig:
    return LineConfig(name="line-1", source=SourceConfig(**source), channels=TWO)


@pytest.fixture
def phone(tmp_path, monkeypatch):
    with PulseAudio.start(tmp_path) as pulse:
        for name, value in pulse.env.items():
            monkeypatch.setenv(name, value)
        yield pulse


@contextmanager
def played(pulse, tmp_path, pcm):
    wavfile.write(tmp_path / "played.wav", pcm, 16_000)
    player = pulse.play(tmp_path / "played.wav")
    try:
        yield
    finally:
        player.kill()
        player.wait()


def test_a_line_with_speech_on_it_is_good_and_its_levels_are_told(phone, tmp_path, config):
    with played(phone, tmp_path, np.stack([speech(60), speech(60, seed=2)], axis=1)):
        found = audio.listen(line(device="auto"), config)
    assert found.outcome is Outcome.GOOD
    told = re.search(r"customer (-\d+) dBFS, agent (-\d+) dBFS", found.says)
    assert all(-40 < int(level) < -20 for level in told.groups())


@pytest.mark.parametrize(
    ("left", "remedy"),
    [
        (np.zeros(320_000, np.int16), "customer: nothing but zeros"),
        ((32_767 * np.sign(np.sin(np.arange(320_000) / 20))).astype(np.int16), "customer: too loud"),
        (np.rint(4000 * np.sin(2 * np.pi * 50 * np.arange(320_000) / 16_000)).astype(np.int16), "customer: mains hum"),
    ],
)
def test_what_is_wrong_with_a_level_is_told_with_the_channel_and_the_remedy(phone, tmp_path, config, left, remedy):
    with played(phone, tmp_path, np.stack([np.tile(left, 3), speech(60)], axis=1)):
        found = audio.listen(line(device="auto"), config)
    assert found.outcome is Outcome.LOOK
    assert found.remedy.startswith(remedy)


def test_a_device_that_is_not_there_fails_and_names_what_is(phone, config):
    found = audio.listen(line(device="serial:4F2A81"), config)
    assert found.outcome is Outcome.FAILED
    assert "serial:4F2A81" in found.says
    assert "name:default" in found.remedy


def test_a_command_that_fails_is_told_by_its_own_last_words(config):
    found = audio.listen(line(command=(sys.executable, "-c", "raise SystemExit('no route to the trunk')")), config)
    assert (found.outcome, found.says) == (Outcome.FAILED, "no route to the trunk")
    assert found.remedy


def test_a_recording_is_heard(tmp_path, config):
    wavfile.write(tmp_path / "call.wav", dialogue(3, 2).T, 16_000)
    found = audio.listen(line(file=str(tmp_path / "call.wav")), config)
    assert found.outcome is Outcome.GOOD


def test_one_sound_on_both_channels_is_to_be_looked_at(tmp_path, config):
    sound = dialogue(3, 1)[0]
    wavfile.write(tmp_path / "call.wav", np.stack([sound, sound]).T, 16_000)
    found = audio.listen(line(file=str(tmp_path / "call.wav")), config)
    assert (found.outcome, "both channels carry the same sound" in found.says) == (Outcome.LOOK, True)
    assert "[mixed]" in found.remedy


def test_a_device_that_a_running_service_holds_is_believed_to_its_fresh_status(config, outbox):
    status = service_says(config)
    assert "running service" in audio.listen(line(device="serial:none"), config).says
    os.utime(status, (time.time() - 60, time.time() - 60))
    assert audio.listen(line(device="serial:none"), config).outcome is Outcome.FAILED
