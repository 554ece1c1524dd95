"""Made-up sound is judged by the real path; a box that cannot says what it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from edge.config import Config
from edge.models.loading import load_engines
from edge.segment.segmenter import Segmenter
from edge.segment.synthetic import dialogue, speech
from edge.service.selftest import self_test
from edge.values import FRAME_SAMPLES, Frame, Mode, Role, Utterance
from edge.wire.codes import CheckOutcome


def test_made_up_speech_is_the_same_each_time_and_at_a_telephones_level():
    assert np.array_equal(speech(2.0), speech(2.0))
    assert not np.array_equal(speech(2.0), speech(2.0, seed=2))
    rms = np.sqrt(np.mean(speech(5.0).astype(float) ** 2))
    assert -35 < 20 * np.log10(rms / 32768) < -22
    assert np.abs(speech(30.0)).max() < 32_000


@pytest.mark.parametrize("channels", [1, 2])
def test_a_line_takes_a_made_up_dialogue_for_speech_turn_by_turn(channels):
    sound = dialogue(20, channels)
    roles = (Role.CUSTOMER, Role.AGENT)[:channels]
    segmenter = Segmenter(roles=roles)
    heard = []
    for start in range(0, sound.shape[1], FRAME_SAMPLES):
        segment_events = segmenter.feed(Frame(start=start, pcm=np.ascontiguousarray(sound[:, start : start + FRAME_SAMPLES])))
        heard += [one.role for one in segment_events if isinstance(one, Utterance)]
    assert len(heard) >= 4
    assert set(heard) == set(roles)


@pytest.fixture(scope="module")
def both():
    config = Config()
    return config, load_engines(config)


def test_a_good_box_passes_every_check(both):
    config, engines = both
    found = self_test(engines, config)
    assert found.passed, found.checks
    assert set(found.checks) == {"voice", "recogniser", "words", "path"}
    if engines.recogniser is not None:
        assert {check.outcome for check in found.checks.values()} == {CheckOutcome.GOOD}


def test_without_a_recogniser_the_voice_is_tested_and_the_words_are_said_to_be_missing():
    config = Config(mode=Mode.VOICE)
    found = self_test(load_engines(config), config)
    assert found.passed
    assert found.checks["voice"].outcome is CheckOutcome.GOOD
    assert found.checks["recogniser"].outcome is CheckOutcome.SKIPPED


class Contrary:
    """A judge that takes every complaint for thanks."""

    def __init__(self, judge):
        self.judge, self.language, self._judge = judge.judge, judge.language, judge

    def judge_text(self, text):
        reading = self._judge.judge_text(text)
        return replace(reading, p_negative=reading.p_positive, p_positive=reading.p_negative)


def test_a_judge_that_takes_complaints_for_thanks_fails_the_self_test(both):
    config, engines = both
    found = self_test(replace(engines, judge=Contrary(engines.judge)), config)
    assert not found.passed
    assert found.checks["words"].outcome is CheckOutcome.FAILED
    assert found.checks["words"].says.startswith("a plain complaint is judged +")
