"""The words branch: real VADER, real overlay, and the shipped model."""

import pytest

from edge.bundle.signature import shipped_models
from edge.config import KeywordConfig
from edge.phrases.tokens import tokenize
from edge.values import SAMPLE_RATE, Absence, Absent, Polarity, Role, Word, WordsReading
from edge.words.branch import WordsJudge

_SHIPPED = shipped_models() / "words"
COMPLAINT = "i have been on hold for an hour and nobody called me back"


@pytest.fixture(scope="module", params=["shipped", "lexicon"])
def bundle(request):
    if request.param == "shipped" and not _SHIPPED.is_dir():
        pytest.skip("no words bundle is shipped: make one with `undertone-convert words`")
    return _SHIPPED if request.param == "shipped" else None


@pytest.fixture(scope="module")
def judge(bundle):
    return WordsJudge.load(bundle)


def said(text: str, confidence: float = 1.0) -> list[Word]:
    return [
        Word(text=word, start=at * SAMPLE_RATE, end=(at + 1) * SAMPLE_RATE, confidence=confidence) for at, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (COMPLAINT, "negative"),
        ("i have had enough of you i am closing my account", "negative"),
        ("great another hour on hold", "negative"),
        ("what time do you open on saturday", "neutral"),
        ("no thank you that's all", "neutral"),
        ("thank you so much you have been wonderful", "positive"),
    ],
)
def test_service_sentences_get_their_label(judge, text, label):
    reading = judge.judge_text(text)
    assert reading.label == label
    assert reading.p_negative + reading.p_neutral + reading.p_positive == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "no_words"), ("   ", "no_words"), ("?!", "no_words"), ("yes", "too_short"), ("okay", "too_short"), ("hello", "too_short"),
     ("thank you for calling how may i help you", "agent")],
)  # fmt: skip
def test_what_says_nothing_is_absent_with_the_reason(judge, text, reason):
    assert judge.judge_text(text) == Absent(reason=reason)


def test_where_nothing_was_recognised_there_are_no_words(judge):
    assert judge.judge([], Role.CUSTOMER) == Absent(reason=Absence.NO_WORDS)


def test_less_confidence_and_fewer_words_are_less_evidence(judge):
    sure, unsure = judge.judge(said(COMPLAINT), Role.CUSTOMER), judge.judge(said(COMPLAINT, 0.6), Role.CUSTOMER)
    assert sure.evidence.quality == 1.0
    assert unsure.evidence.quality == pytest.approx(0.6)
    assert judge.judge_text("terrible").evidence.quality < 0.5


@pytest.mark.parametrize("script", ["thank you for calling how may i help you", "i'm sorry to hear that"])
@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.MIXED])
def test_agent_script_never_moves_the_score(judge, script, role):
    alone, beside = judge.judge(said(COMPLAINT), role), judge.judge(said(f"{script} {COMPLAINT}"), role)
    assert beside.evidence.negative == alone.evidence.negative
    assert beside.evidence.positive == alone.evidence.positive


def test_a_complaint_names_its_cause_and_route_and_a_question_does_not(judge):
    reading = judge.judge_text("my parcel never came and the driver lied about it")
    assert reading.cause.code == "delivery"
    assert reading.cause.route
    assert judge.judge_text("thank you so much you have been wonderful").cause is None


def test_an_agents_words_have_no_cause(judge):
    reading = judge.judge(said(COMPLAINT), Role.AGENT)
    assert isinstance(reading, WordsReading)
    assert reading.cause is None


def test_identities_are_hidden_from_the_reading_and_its_drivers(judge):
    reading = judge.judge_text("my name is johannes terrible and your service is awful")
    assert "johannes" not in reading.redacted
    assert not any("johannes" in driver.name for driver in reading.drivers)


def test_drivers_say_what_moved_it_strongest_first(judge):
    drivers = judge.judge_text(COMPLAINT).drivers
    assert drivers
    assert any("hold" in driver.name for driver in drivers)
    assert [abs(d.weight) for d in drivers] == sorted((abs(d.weight) for d in drivers), reverse=True)


def test_configured_keywords_are_spotted_with_their_time():
    judge = WordsJudge.load(keywords=(KeywordConfig(name="leaving", phrases=("close my account",)),))
    (spotted,) = judge.judge(said("i want to close my account"), Role.CUSTOMER).spotted
    assert (spotted.keyword, spotted.start, spotted.end) == ("leaving", 3 * SAMPLE_RATE, 6 * SAMPLE_RATE)


def test_a_sites_lexicon_speaks_in_the_judgement(tmp_path, judge, bundle):
    site = tmp_path / "site.yaml"
    site.write_text(
        "version: site\ngroups:\n  - {category: broken, rated_by: us, why: our product, entries: {the zorbo hums: -3.5}}\n",
        encoding="utf-8",
    )
    before, after = judge.judge_text("the zorbo hums"), WordsJudge.load(bundle, site).judge_text("the zorbo hums")
    assert after.p_negative > before.p_negative
    assert after.label is Polarity.NEGATIVE


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("I WAITED 40 mins!", "i waited forty mins"),
        ("it’s £1,250", "it's one thousand two hundred fifty"),  # noqa: RUF001 (a typed apostrophe)
        ("call 0800 on 20mins", "call zero eight zero zero on twenty mins"),
    ],
)
def test_typed_text_becomes_what_a_recogniser_writes(written, words):
    assert tokenize(written) == words.split()
