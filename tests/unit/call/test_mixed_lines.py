"""A call on a mixed line, by the shipped words model: what an agent says scores nothing; on other lines nobody is told by their words."""

from dataclasses import replace

import numpy as np
import pytest

from edge.bundle.signature import shipped_models
from edge.call.engines import CallModels, Engines
from edge.call.rules.rule_set import load_rules
from edge.config import Config, LineConfig, SourceConfig
from edge.values import FRAME_SAMPLES, Absence, Absent, Mode, Role, Utterance, Word, WordsReading
from edge.words.branch import WordsJudge
from tests.conversation import WEIGHTS

# Ours. Who says it, and what.
CALL = [
    (Role.AGENT, "thank you for calling harbour hotels my name is anna how can i help you"),
    (Role.CUSTOMER, "i booked a sea view for our anniversary and you've put us over the bins"),
    (Role.AGENT, "i'm sorry there aren't any other rooms available tonight would you like me to check tomorrow"),
    (Role.CUSTOMER, "this is a disgrace i have never been so badly treated in my life"),
    (Role.AGENT, "can i take your booking reference please"),
]


class Recogniser:
    """Vosk's place at the rim: hears what it was given, one sentence an utterance."""

    def __init__(self, sentences: list[str]) -> None:
        self._sentences = iter(sentences)

    def channel(self) -> "Recogniser":
        return self

    def result(self) -> tuple[Word, ...]:
        said = next(self._sentences).split()
        return tuple(Word(text=word, start=n * 8000, end=(n + 1) * 8000, confidence=0.95) for n, word in enumerate(said))


@pytest.fixture(scope="module")
def judge() -> WordsJudge:
    return WordsJudge.load(shipped_models() / "words")


def models(judge: WordsJudge, role: Role, said: list[str]) -> CallModels:
    rules = load_rules(None)
    engines = Engines(emotion=None, recogniser=Recogniser(said), judge=judge, rules=lambda: rules, weights=WEIGHTS, infos={})
    line = LineConfig(name="line-1", source=SourceConfig(device="none"), channels=(role,))
    return engines.for_call(line, Config(mode=Mode.WORDS))


def utterance(role: Role, text: str, turn: int) -> Utterance:
    """Half a second a word."""
    end = 8000 * len(text.split())
    pcm, voiced = np.zeros(end, np.int16), np.ones(end // FRAME_SAMPLES, np.bool_)
    return Utterance(channel=0, role=role, start=0, end=end, speech_end=end, pcm=pcm, voiced=voiced, turn=turn, level_dbfs=-20.0)


def readings(judge: WordsJudge, role: Role) -> list[WordsReading | Absent]:
    """What is made of the call, less how well it was understood."""
    asked = models(judge, role, [text for _, text in CALL])
    return [replace(asked.words(utterance(role, text, turn)), intelligibility=None) for turn, (_, text) in enumerate(CALL)]


def test_on_a_mixed_line_the_agents_sentences_score_nothing_and_the_customers_do(judge):
    for (speaker, _), reading in zip(CALL, readings(judge, Role.MIXED), strict=True):
        if speaker is Role.AGENT:
            assert (type(reading), reading.reason) == (Absent, Absence.AGENT)
        else:
            assert isinstance(reading, WordsReading)
            assert reading.evidence.quality > 0.25


def test_on_a_customers_own_channel_every_sentence_is_the_customers(judge):
    said = Recogniser([text for _, text in CALL])
    heard = [replace(reading, intelligibility=None) for reading in readings(judge, Role.CUSTOMER)]
    assert heard == [judge.judge(said.result(), Role.CUSTOMER) for _ in CALL]
