"""A speech recogniser that fails in the middle of a call costs words, never hearing. (One that ends the process: tests/chaos/words.py.)"""

from dataclasses import replace

import pytest

from edge.asr.channel import ChannelRecogniser
from edge.asr.vosk_model import find_vosk
from edge.call.replay import line_for, replay
from edge.config import Config
from edge.models.loading import load_engines
from tests.paths import TESTS

VOSK = find_vosk(Config())
CALL = TESTS / "demo" / "call.wav"
pytestmark = pytest.mark.skipif(VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`")


class Failing(ChannelRecogniser):
    """The real one, but for the `fails`-th block of sound that any of them is given."""

    fails, given = 100, 0

    def _feed(self, pcm) -> None:
        Failing.given += 1
        if Failing.given == Failing.fails:
            # As Vosk says it: a bare Exception.
            raise Exception("Failed to process waveform")  # noqa: TRY002
        super()._feed(pcm)


class Engine:
    def __init__(self, engine) -> None:
        self._spares = engine._spares

    def channel(self) -> ChannelRecogniser:
        return Failing(self._spares)


def test_the_utterance_says_failed_and_the_call_goes_on_with_words(caplog):
    config = Config()
    engines = load_engines(config)
    engines = replace(engines, recogniser=Engine(engines.recogniser))
    Failing.given = 0
    events = [event.data for event in replay(CALL, line=line_for(CALL, config, None), config=config, engines=engines)]
    customers = [data for data in events if data.kind == "call.utterance" and data.role == "customer"]
    failed = [data for data in customers if data.words_reason == "failed"]
    assert len(failed) == 1
    assert failed[0].voice is not None
    assert failed[0].verdict.label is not None
    assert [data for data in customers if data.n < failed[0].n and data.words]
    assert [data for data in customers if data.n > failed[0].n and data.words]
    assert events[-1].kind == "call.summary"
    assert [record.getMessage() for record in caplog.records if record.name == "undertone.words"] == [
        "words.failed error=Failed to process waveform"
    ]
