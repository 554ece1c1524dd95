"""Words from speech: real flite, real Vosk."""

import itertools
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.asr.channel import ChannelRecogniser
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.capture.wavfile import read_clip
from edge.config import Config
from edge.errors import ModelError
from edge.signal.resample import resample
from edge.values import SAMPLE_RATE, Pcm, Word
from tests.telling import until

_VOSK = find_vosk(Config())
pytestmark = [
    pytest.mark.skipif(_VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`"),
    pytest.mark.skipif(shutil.which("flite") is None, reason="no speech synthesis here: install flite"),
]

SENTENCE = "i have been waiting for forty minutes and nobody called me back"
OTHER = "what time do you open tomorrow"
QUIET = np.zeros(SAMPLE_RATE // 2, np.int16)


@cache
def engine() -> Engine:
    return Engine(_VOSK)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Each sentence as 16 kHz speech between two half seconds of quiet."""
    folder = tmp_path_factory.mktemp("spoken")
    return {text: np.concatenate([QUIET, _say(text, folder / "said.wav"), QUIET]) for text in (SENTENCE, OTHER)}


def _say(text: str, path: Path) -> Pcm:
    subprocess.run(["flite", "-voice", "kal16", "-t", text, "-o", str(path)], check=True, capture_output=True)
    return resample(*read_clip(path))


def feed(channel: ChannelRecogniser, pcm: Pcm, start: int, sizes) -> None:
    at = 0
    for size in sizes:
        channel.accept(start + at, pcm[at : at + size])
        at += size
        if at >= len(pcm):
            return


def text(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def test_words_are_heard_with_times_of_the_line_and_confidence(spoken):
    channel = engine().channel()
    start = 90 * SAMPLE_RATE
    channel.accept(start, spoken[SENTENCE])
    words = channel.result()
    assert text(words) == SENTENCE
    assert all(start + len(QUIET) // 2 < word.start < word.end <= start + len(spoken[SENTENCE]) for word in words)
    assert all(a.end <= b.start + SAMPLE_RATE // 20 for a, b in itertools.pairwise(words))
    assert all(0 <= word.confidence <= 1 for word in words)


@pytest.fixture(scope="module")
def whole(spoken):
    """The two sentences, 20 s apart, each heard in one piece."""
    channel, heard = engine().channel(), []
    for number, sentence in enumerate((SENTENCE, OTHER)):
        channel.accept(number * 20 * SAMPLE_RATE, spoken[sentence])
        heard.append(channel.result())
    return heard


@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=30))
@settings(max_examples=5, deadline=None)
def test_words_do_not_depend_on_how_the_sound_is_cut(spoken, whole, sizes):
    cut = engine().channel()
    for number, sentence in enumerate((SENTENCE, OTHER)):
        feed(cut, spoken[sentence], number * 20 * SAMPLE_RATE, itertools.cycle(sizes))
        assert cut.result() == whole[number]


def test_the_same_sound_gives_the_same_words_every_time(spoken):
    heard = set()
    for _ in range(3):
        channel = engine().channel()
        channel.accept(0, spoken[SENTENCE])
        heard.add(channel.result())
    assert len(heard) == 1


def test_words_behind_a_gap_keep_the_clock_of_the_line(spoken):
    pcm, gap = spoken[SENTENCE], 3 * SAMPLE_RATE
    plain, gapped = engine().channel(), engine().channel()
    plain.accept(0, pcm)
    middle = len(pcm) // 2
    gapped.accept(0, pcm[:middle])
    gapped.accept(middle + gap, pcm[middle:])
    for before, after in zip(plain.result(), gapped.result(), strict=True):
        assert before.text == after.text
        assert after.start == before.start + (gap if before.start >= middle else 0)
        assert after.end == before.end + (gap if before.end > middle else 0)


def test_an_utterance_begins_without_words_of_the_one_before(spoken):
    channel = engine().channel()
    for number in range(3):
        channel.accept(number * 60 * SAMPLE_RATE, spoken[OTHER])
        assert text(channel.result()) == OTHER


def test_what_was_dropped_is_not_heard_again(spoken):
    channel = engine().channel()
    channel.accept(0, spoken[SENTENCE])
    channel.drop()
    channel.accept(30 * SAMPLE_RATE, spoken[OTHER])
    assert text(channel.result()) == OTHER


def test_nothing_fed_is_no_words():
    channel = engine().channel()
    assert channel.result() == ()
    channel.drop()
    assert channel.finish() == ()


def test_the_end_of_a_call_gives_what_was_still_open(spoken):
    channel = engine().channel()
    channel.accept(0, spoken[OTHER])
    assert text(channel.finish()) == OTHER


def test_a_new_recogniser_after_minutes_of_speech_hears_on(spoken, monkeypatch):
    monkeypatch.setattr("edge.asr.channel._RENEW_AFTER", SAMPLE_RATE)
    channel = engine().channel()
    for number in range(2):
        start = number * 60 * SAMPLE_RATE
        channel.accept(start, spoken[OTHER])
        words = channel.result()
        assert text(words) == OTHER
        assert start < words[0].start < words[-1].end <= start + len(spoken[OTHER])


def test_one_that_was_warmed_or_has_heard_other_calls_hears_as_a_new_one(spoken):
    """Words, times and confidences to the last digit: it keeps its graph, and nothing of who spoke."""
    ours, heard = Engine(_VOSK), []
    for call in range(4):
        if call == 1:
            ours.keep_warm(1, lambda: spoken[OTHER])
            until(lambda: ours._spares._free)
        channel, start = ours.channel(), call * 1_000_003
        channel.accept(start, spoken[SENTENCE])
        words = channel.result()
        if call == 2:
            channel.accept(start + 20 * SAMPLE_RATE, spoken[OTHER])
            channel.drop()
        channel.finish()
        heard.append([(word.text, word.start - start, word.end - start, word.confidence) for word in words])
    assert heard[1:] == [heard[0]] * 3
    assert len(ours._spares._free) == 1


def test_a_folder_without_a_model_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ModelError, match="fetch-model"):
        Engine(tmp_path)
