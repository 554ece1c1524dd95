"""What was not understood is no evidence; a line whose callers are not understood says so; a line may have a recogniser of its own."""

import numpy as np
import pytest

from edge.asr.vosk_model import language_of
from edge.call.engines import Engines, LineRecogniser
from edge.call.line import Line
from edge.call.rules.rule_set import load_rules
from edge.call.understood import UnderstoodCalls
from edge.config import Config, LineConfig, SourceConfig
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Absence, Absent, Branch, Mode, Role, Utterance, Word, WordsReading
from edge.verdict.fuse import fuse
from edge.wire.commands import CallEnd, CallStart
from edge.wire.device import ModelInfo
from edge.wire.events import Summary
from edge.wire.parts import UnderstoodData
from edge.words.branch import WordsJudge
from tests.conversation import ANGRY, CALM, FOREIGN, NO_LATENCY, UNHEARD, WEIGHTS, Conversation, voice

COMPLAINT = "i have been on hold for an hour and nobody called me back"
SALAD = "lesser ray apparel mesa door keep pass the meal east sole"
JUDGE = WordsJudge.load()


class Recogniser:
    """Hears the same words in every utterance."""

    def __init__(self, text: str, confidence: float) -> None:
        self._words = [Word(text=name, start=0, end=1, confidence=confidence) for name in text.split()]
        self.asked = 0

    def channel(self) -> "Recogniser":
        return self

    def result(self) -> list[Word]:
        self.asked += 1
        return self._words

    def finish(self) -> None:
        pass


def engines(recogniser, **given) -> Engines:
    rules = load_rules(None)
    return Engines(emotion=None, recogniser=recogniser, judge=JUDGE, rules=lambda: rules, weights=WEIGHTS, infos={}, **given)


def spoken(role: Role = Role.CUSTOMER, seconds: float = 2.4) -> Utterance:
    frames = round(seconds * SAMPLE_RATE / FRAME_SAMPLES)
    samples = frames * FRAME_SAMPLES
    return Utterance(
        channel=0, role=role, start=0, end=samples, speech_end=samples, pcm=np.zeros(samples, np.int16),
        voiced=np.ones(frames, np.bool_), turn=0,
    )  # fmt: skip


def readings(made: Engines, times: int = 4, *, line: str = "line-1", role: Role = Role.CUSTOMER) -> list[WordsReading | Absent]:
    models = made.for_call(LineConfig(name=line, source=SourceConfig(device="none"), channels=(role,), agent_words=True), Config())
    return [models.words(spoken(role)) for _ in range(times)]


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.MIXED])
def test_words_that_were_not_understood_are_absent_with_the_reason_and_its_numbers(role):
    last = readings(engines(Recogniser(SALAD, 0.7)), role=role)[-1]
    assert (type(last), last.reason) == (Absent, Absence.NOT_UNDERSTOOD)
    assert not last.intelligibility.understood
    heard = readings(engines(Recogniser(COMPLAINT, 0.9)), role=role)[-1]
    assert isinstance(heard, WordsReading)
    assert heard.intelligibility.understood


def test_nobody_asks_whether_an_agent_is_understood():
    assert all(one.intelligibility is None for one in readings(engines(Recogniser(SALAD, 0.7)), role=Role.AGENT))


@pytest.mark.parametrize("reason", [Absence.NO_WORDS, Absence.NOT_UNDERSTOOD])
def test_a_voice_whose_words_were_listened_for_in_vain_is_no_evidence_in_both_and_all_of_it_where_it_judges_alone(reason):
    shouting, nothing = voice(5), Absent(reason=reason)
    both, alone = (fuse(mode=mode, voice=shouting, words=nothing, weights=WEIGHTS) for mode in (Mode.BOTH, Mode.VOICE))
    assert (both.label, both.absent) == (None, {Branch.VOICE: reason, Branch.WORDS: reason})
    assert alone.label == "negative"


@pytest.mark.parametrize("said", [Absent(reason=Absence.NO_WORDS), FOREIGN])
def test_no_shipped_rule_is_told_of_a_call_in_which_nothing_was_understood_however_it_sounds(said):
    call = Conversation()
    for _ in range(12):
        call.customer(said, voice(6), seconds=4).agent()
    assert call.quiet(20).agent().over().alerts == []
    summary = call.data(Summary)[0]
    assert summary.abstained == summary.customer_utterances == 12


def test_the_summary_counts_what_was_not_understood_and_says_what_most_of_the_call_was():
    call = Conversation()
    for _ in range(4):
        call.customer(FOREIGN)
    assert [(one.not_understood, one.understood) for one in call.customer(CALM).over().data(Summary)] == [(4, False)]
    assert [(one.not_understood, one.understood) for one in Conversation().customer(ANGRY).over().data(Summary)] == [(0, None)]


def box_of(calls: list[bool | None]) -> UnderstoodCalls:
    box = UnderstoodCalls()
    for understood in calls:
        box.call_over("line-1", understood=True)
        box.call_over("line-2", understood=understood)
    return box


def test_a_line_whose_callers_are_not_understood_says_so_with_the_count():
    (problem,) = box_of([True, True, *[False] * 8]).problems(["line-1", "line-2"])
    assert problem.fault == "line-2: 8 of 10 calls not understood: do its callers speak English?"
    assert "lines[].models.vosk" in problem.remedy


@pytest.mark.parametrize(
    "calls",
    [[], [False] * 4, [None] * 20, [True, True, True, False, False, False], [False] * 10 + [True] * 6],
    ids=["none yet", "too few", "nothing said", "half of them", "mended since"],
)
def test_a_line_is_told_of_only_where_most_of_its_last_calls_were_not_understood(calls):
    assert list(box_of(calls).problems(["line-1", "line-2", "line-3"])) == []


def test_calls_that_come_over_the_network_count_for_the_line_that_they_came_on():
    box, made = UnderstoodCalls(), engines(None)
    for number in range(1, 6):
        name = f"pbx/{number}"
        config = LineConfig(name=name, source=SourceConfig(device="none"), channels=(Role.CUSTOMER, Role.AGENT))
        line = Line(line=config, serving=lambda: (made, Config()), understood_calls=box)
        line.handle_command(CallStart(line=name))
        for _ in range(3):
            line._call.heard(spoken(), voice=UNHEARD, words=FOREIGN, verdict=None, latency=NO_LATENCY)
        line.handle_command(CallEnd(line=name))
    assert box.of("pbx") == UnderstoodData(calls=5, not_understood=5)
    assert [problem.where for problem in box.problems(["pbx"])] == ["pbx"]


def test_a_line_with_a_recogniser_of_its_own_is_heard_by_that_one():
    shared, own = Recogniser(COMPLAINT, 0.9), Recogniser("thank you that was wonderful", 0.9)
    info = ModelInfo(name="vosk-big", version="2.0.0", sha256="0" * 64, licence="x", signed_by=None, validated_on_calls=False)
    made = engines(shared, line_recognisers={"line-2": LineRecogniser(engine=own, language="en", info=info)})
    assert readings(made, line="line-1")[-1].label == "negative"
    assert readings(made, line="line-2")[-1].label == "positive"
    assert (shared.asked, own.asked) == (4, 4)
    assert made.models_of("line-2") == {"recogniser": "vosk-big-2.0.0"}
    assert made.models_of("line-1") == {}


def test_words_of_a_language_that_the_words_model_does_not_know_are_not_even_written_down():
    french = Recogniser(COMPLAINT, 0.9)
    last = readings(engines(french, language="fr"))[-1]
    assert (last, french.asked) == (Absent(reason=Absence.LANGUAGE), 0)
    # The voice is then all there is, and the operator has chosen so.
    assert fuse(mode=Mode.BOTH, voice=voice(5), words=last, weights=WEIGHTS).label == "negative"


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("vosk-model-small-en-us-0.15", "en"),
        ("vosk-model-small-fr-0.22", "fr"),
        ("vosk-model-de-0.21", "de"),
        ("vosk", "en"),
        ("ours", "en"),
    ],
)
def test_a_recognisers_language_is_in_the_name_that_its_makers_gave_it(tmp_path, name, language):
    assert language_of(tmp_path / name) == language
