"""Identifiers spoken by synthesis, through G.711, heard by the recogniser and redacted: the whole way that a caller's words go."""

import shutil

import pytest

from convert.asr.spoken import spoken
from edge.asr.recogniser import Engine
from edge.asr.vosk_model import find_vosk
from edge.config import Config
from edge.redaction.redact import redact
from tests.words.identifiers import Sentence, leaked

_VOSK = find_vosk(Config())
pytestmark = [
    pytest.mark.skipif(_VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`"),
    pytest.mark.skipif(shutil.which("flite") is None or shutil.which("espeak-ng") is None, reason="no flite or espeak-ng here"),
    pytest.mark.takes(6),
]


def test_no_identifier_outlives_recognition_and_a_duration_does(tmp_path):
    said = (
        Sentence(kind="phone", text="honestly text oh seven seven six one three nine six three four one sort it out"),
        Sentence(kind="house", text="deliver it to willow cottage like always", secret=("willow",)),
        Sentence(kind="grouped", text="the reference is eighty two fifty three five hundred and ninety six and please be quick"),
    )
    engine = Engine(_VOSK)

    def heard(text: str) -> str:
        channel = engine.channel()
        channel.accept(0, spoken(text, tmp_path))
        return " ".join(word.text for word in channel.finish())

    words = [heard(sentence.text) for sentence in said]
    assert all(leaked(sentence, text) for sentence, text in zip(said, words, strict=True)), words
    assert [leaked(sentence, redact(text)) for sentence, text in zip(said, words, strict=True)] == [[], [], []], words
    calm = heard("we waited three and a half hours at gate seventeen")
    assert calm.endswith("three and a half hours at gate seventeen")
    assert redact(calm) == calm
