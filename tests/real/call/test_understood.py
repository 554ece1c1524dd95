"""Calls in which nothing is understood, with real Vosk: another language, laughter, coughs, syllables without words."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from convert.sound.degrade import telephoned
from edge.asr.vosk_model import find_vosk
from edge.call.line import Line
from edge.capture.wavfile import read_clip
from edge.config import Config, LineConfig, LineModelsConfig, SourceConfig
from edge.models.loading import load_engines
from edge.segment.synthetic import speech
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Absence, ClosedBy, Frame, Role
from edge.wire.commands import CallStart
from edge.wire.events import Alert, Summary, UtteranceHeard

VOSK = find_vosk(Config())
pytestmark = [
    pytest.mark.skipif(VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`"),
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no speech synthesis here: install espeak-ng"),
]
ENGLISH = "I am calling about my order. It has not arrived yet. Can you tell me where it is? I would like to have my money back."
OTHERS = {
    "de": "Ich rufe wegen meiner Bestellung an. Sie ist noch nicht da. Können Sie mir sagen, wo sie ist? Ich möchte mein Geld zurück.",
    "fr": "Je vous appelle au sujet de ma commande. Elle n'est pas arrivée. Pouvez-vous me dire où elle se trouve ? Remboursez-moi.",
}


@pytest.fixture(scope="module")
def engines():
    return load_engines(Config())


def events_of(engines, sound, *, line: LineConfig | None = None) -> list:
    line = line or LineConfig(name="line-1", source=SourceConfig(device="none"), channels=(Role.CUSTOMER,))
    call_line = Line(line=line, serving=lambda: (engines, Config()))
    events = [*call_line.handle_command(CallStart(line=line.name)).events]
    sound = np.concatenate([sound, np.zeros(SAMPLE_RATE, np.int16)])
    for start in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        events += call_line.process_frame(Frame(start=start, pcm=sound[None, start : start + FRAME_SAMPLES]))
    return [event.data for event in [*events, *call_line.end(ClosedBy.END_OF_RECORDING)]]


def read_out(text: str, language: str, folder: Path):
    """Sentence by sentence, a second between them."""
    wav, parts = folder / "said.wav", []
    for sentence in re.split(r"(?<=[.?]) ", text):
        subprocess.run(["espeak-ng", "-v", language, "-w", str(wav), sentence], check=True, capture_output=True)
        parts += [telephoned(*read_clip(wav)), np.zeros(SAMPLE_RATE, np.int16)]
    return np.concatenate(parts)


def laughter():
    burst = [
        np.concatenate([speech(0.25, seed=seed, pitch_hz=320 - 20 * (seed % 5))[:1600], np.zeros(1600, np.int16)]) for seed in range(15)
    ]
    return np.concatenate([part for seed, ha in enumerate(burst) for part in (ha, np.zeros(12_000 * (seed % 5 == 4), np.int16))])


def coughs():
    rng = np.random.default_rng(1)
    decay = np.exp(-np.arange(4000) / 900) * 9000
    bursts = [(rng.normal(0, 1, 4000) * decay).clip(-32768, 32767).astype(np.int16) for _ in range(6)]
    pause = np.zeros(9000, np.int16)
    return np.concatenate([part for seed, burst in enumerate(bursts) for part in (burst, speech(0.25, seed=seed)[:2400] // 2, pause)])


@pytest.mark.takes(15)
@pytest.mark.parametrize("language", OTHERS)
def test_a_call_in_another_language_abstains_and_says_why(engines, tmp_path, language):
    data = events_of(engines, read_out(OTHERS[language], language, tmp_path))
    heard = [one for one in data if isinstance(one, UtteranceHeard)]
    refused = [one for one in heard if one.words_reason in (Absence.NOT_UNDERSTOOD, Absence.NO_WORDS)]
    assert all(one.verdict.label is None for one in refused)
    # One of them may be believed: most calls are understood.
    assert len(refused) > len(heard) / 2
    assert [one.understood for one in data if isinstance(one, Summary)] == [False]
    assert not any(isinstance(one, Alert) for one in data)


@pytest.mark.takes(15)
def test_the_same_in_english_is_understood(engines, tmp_path):
    heard = [one for one in events_of(engines, read_out(ENGLISH, "en-us", tmp_path)) if isinstance(one, UtteranceHeard)]
    assert heard
    assert all(one.intelligibility.understood for one in heard if one.intelligibility)
    assert any(one.words for one in heard)


@pytest.mark.takes(10)
@pytest.mark.parametrize("sound", [laughter, coughs, lambda: speech(8, seed=5, pitch_hz=330)], ids=["laughter", "coughs", "babble"])
def test_a_call_without_a_word_in_it_abstains_voice_and_all(engines, sound):
    data = events_of(engines, sound())
    (summary,) = [one for one in data if isinstance(one, Summary)]
    assert summary.abstained == summary.customer_utterances
    assert summary.scores.mean is None


@pytest.mark.takes(15)
def test_a_line_has_a_recogniser_of_its_own_and_one_of_another_language_leaves_the_voice_alone(tmp_path):
    french = tmp_path / "copy" / "vosk-model-fr-0.6"
    french.parent.mkdir()
    shutil.copytree(VOSK, french, copy_function=lambda source, to: Path(to).symlink_to(source))
    line = LineConfig(
        name="line-2", source=SourceConfig(device="none"), channels=(Role.CUSTOMER,), models=LineModelsConfig(vosk=str(french))
    )
    engines = load_engines(Config(lines=(line,)))
    assert engines.recogniser_of("line-2")[1] == "fr"
    assert engines.recogniser_of("line-1") == (engines.recogniser, "en")
    assert engines.missing["words line-2"].fault.startswith("line-2: its recogniser writes 'fr' and the words model knows 'en'")
    heard = [one for one in events_of(engines, read_out(ENGLISH, "en-us", tmp_path), line=line) if isinstance(one, UtteranceHeard)]
    assert {one.words_reason for one in heard} == {Absence.LANGUAGE}
    assert any(one.voice is not None and one.verdict.label is not None for one in heard)
