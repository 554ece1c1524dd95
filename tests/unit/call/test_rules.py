"""Rules: what they can ask, and that the voice alone never alerts unless it is sustained."""

import pytest

from edge.errors import ConfigError
from edge.values import Absence, Absent, Role
from tests.conversation import ANGRY, CALM, PLEASED, SHOUTING, Conversation, words
from tests.unit.call.written_rules import inline, probe

CUSTOMER, AGENT = Role.CUSTOMER, Role.AGENT
BROKE_IN = {"interrupted": True}


def fires(tmp_path, when, script, **given) -> bool:
    call = Conversation(rules=probe(tmp_path, when), **given)
    script(call)
    return bool(call.alert("probe"))


def angry(times, said=ANGRY):
    def script(call):
        for _ in range(times):
            call.customer(said).agent()

    return script


@pytest.mark.parametrize(("times", "expected"), [(2, False), (3, True)])
def test_sustained_needs_that_many_in_a_row(tmp_path, times, expected):
    assert fires(tmp_path, "fused: {p_negative_at_least: 0.6, sustained: 3}", angry(times)) is expected


def test_a_pleased_word_breaks_the_row(tmp_path):
    def script(call):
        call.customer(ANGRY).customer(ANGRY).customer(PLEASED).customer(ANGRY).customer(ANGRY)

    assert not fires(tmp_path, "fused: {p_negative_at_least: 0.6, sustained: 3}", script)


def test_what_could_not_be_judged_does_not_break_the_row(tmp_path):
    def script(call):
        call.customer(ANGRY).customer().customer(ANGRY).customer().customer(ANGRY)

    assert fires(tmp_path, "fused: {p_negative_at_least: 0.6, sustained: 3}", script)


def test_what_was_badly_heard_is_left_out(tmp_path):
    when = "words: {p_negative_at_least: 0.6, min_quality: 0.5}"
    assert not fires(tmp_path, when, angry(3, words(4, -2, 0.4)))
    assert fires(tmp_path, when, angry(1, words(4, -2, 0.6)))


def test_polarity_can_be_asked_from_both_sides(tmp_path):
    assert fires(tmp_path, "fused: {polarity_at_most: -0.5}", angry(1))
    assert not fires(tmp_path, "fused: {polarity_at_least: 0.3}", angry(1))
    assert fires(tmp_path, "fused: {polarity_at_least: 0.3}", angry(1, PLEASED))


def test_a_cause_is_asked_by_code_and_probability(tmp_path):
    assert fires(tmp_path, "cause: {any_of: [billing, refund]}", angry(1))
    assert not fires(tmp_path, "cause: {any_of: [refund]}", angry(1))
    assert not fires(tmp_path, "cause: {any_of: [billing], p_at_least: 0.9}", angry(1))


def test_a_keyword_is_asked_by_its_configured_name(tmp_path):
    assert fires(tmp_path, "keyword: {any_of: [cancel-word]}", angry(1, words(keyword="cancel-word")))
    assert not fires(tmp_path, "keyword: {any_of: [cancel-word]}", angry(1, words(keyword="other")))


def test_a_signal_is_a_category_of_the_lexicon(tmp_path):
    assert fires(tmp_path, "signal: {any_of: [repeat]}", angry(1, words(signals=("repeat",))))
    assert not fires(tmp_path, "signal: {any_of: [repeat]}", angry(3, words(signals=("waiting",))))


def test_a_window_in_seconds_forgets(tmp_path):
    when = "fused: {p_negative_at_least: 0.6, times: 2, within_s: 20}"
    assert fires(tmp_path, when, lambda call: call.customer(ANGRY).quiet(10).customer(ANGRY))
    assert not fires(tmp_path, when, lambda call: call.customer(ANGRY).quiet(30).customer(ANGRY))


def test_a_window_in_utterances_counts_the_roles_own(tmp_path):
    when = "fused: {p_negative_at_least: 0.6, times: 2, within_utterances: 3}"
    assert fires(tmp_path, when, lambda call: call.customer(ANGRY).agent().customer(CALM).agent().customer(ANGRY))
    assert not fires(tmp_path, when, lambda call: call.customer(ANGRY).customer(CALM).customer(CALM).customer(ANGRY))


def test_a_window_can_be_a_share_of_the_call(tmp_path):
    when = "all:\n  - fused: {polarity_at_least: 0.3, share: [0, 0.5]}\n  - fused: {p_negative_at_least: 0.6, share: [0.5, 1]}"
    assert fires(tmp_path, when, lambda call: call.customer(PLEASED).quiet(10).customer(ANGRY))
    assert not fires(tmp_path, when, lambda call: call.customer(ANGRY).quiet(10).customer(PLEASED))


def test_all_any_and_not(tmp_path):
    complaint, polite = "{cause: {any_of: [billing]}}", "{fused: {polarity_at_least: 0.3}}"
    assert not fires(tmp_path, f"all: [{complaint}, {polite}]", angry(1))
    assert fires(tmp_path, f"any: [{complaint}, {polite}]", angry(1))
    assert fires(tmp_path, f"all: [{complaint}, {{not: {polite}}}]", angry(1))
    assert not fires(tmp_path, f"all: [{complaint}, {{not: {complaint}}}]", angry(1))


@pytest.mark.parametrize(("gap", "expected"), [(3, True), (20, False)])
def test_near_is_within_seconds(tmp_path, gap, expected):
    when = "near:\n  first: {cause: {any_of: [billing]}}\n  then: {fused: {polarity_at_least: 0.3}}\n  within_s: 10"
    assert fires(tmp_path, when, lambda call: call.customer(ANGRY).quiet(gap).customer(PLEASED)) is expected


def test_near_keeps_its_order_unless_told(tmp_path):
    when = "near:\n  first: {{cause: {{any_of: [billing]}}}}\n  then: {{fused: {{polarity_at_least: 0.3}}}}\n  within_s: 10\n  ordered: {}"

    def backwards(call):
        call.customer(PLEASED).quiet(2).customer(ANGRY)

    assert not fires(tmp_path, when.format("true"), backwards)
    assert fires(tmp_path, when.format("false"), backwards)


def test_interruptions_are_asked_by_who_broke_in(tmp_path):
    def script(call):
        call.customer(ANGRY, **BROKE_IN).customer(ANGRY, **BROKE_IN)

    assert fires(tmp_path, "interruptions: {by: customer, at_least: 2}", script)
    assert not fires(tmp_path, "interruptions: {by: agent, at_least: 2}", script)


def test_silence_fires_once_somebody_speaks_again(tmp_path):
    call = Conversation(rules=probe(tmp_path, "silence: {seconds_at_least: 10}")).customer(ANGRY).quiet(9).agent()
    assert call.alerts == []
    call.quiet(12)
    assert call.alerts == []
    assert call.agent().alerts[0].offset_ms == 27_000


def test_silence_is_never_true_where_one_side_is_not_heard(tmp_path):
    assert not fires(
        tmp_path, "silence: {seconds_at_least: 10}", lambda call: call.customer(ANGRY).quiet(60).customer(CALM), roles=[CUSTOMER]
    )


def test_a_hold_is_not_the_silence_that_rules_mean_even_after_it(tmp_path):
    def script(call):
        call.customer(ANGRY).agent().tone("music").quiet(60).agent().customer(CALM)

    assert not fires(tmp_path, "silence: {seconds_at_least: 10}", script)


def test_loudness_and_rate_are_the_speakers_own(tmp_path):
    def louder(call):
        for level in (-30.0, -30.0, -30.0, -20.0, -20.0, -20.0):
            call.customer(words(count=10), level_dbfs=level)

    assert fires(tmp_path, "loudness: {db_at_least: 6, sustained: 3}", louder)
    assert not fires(tmp_path, "loudness: {db_at_least: 12, sustained: 3}", louder)
    assert fires(tmp_path, "speech_rate: {wpm_at_least: 250, sustained: 3}", louder)


def test_scores_and_trend_can_be_asked(tmp_path):
    assert fires(tmp_path, "score: {of: mean, at_most: -0.5}", angry(3))
    assert not fires(tmp_path, "score: {of: mean, at_most: -0.5}", angry(2))
    assert not fires(tmp_path, "score: {of: worst, at_least: 0}", angry(3))

    def falls(call):
        for said in (PLEASED, PLEASED, CALM, CALM, ANGRY, ANGRY):
            call.customer(said).quiet(8)

    assert fires(tmp_path, "trend: {per_minute_at_most: -0.3}", falls)
    assert not fires(tmp_path, "trend: {per_minute_at_least: 0.3}", falls)


def test_an_agents_words_are_asked_by_role(tmp_path):
    when = "words: {p_negative_at_least: 0.6, role: agent}"
    assert fires(tmp_path, when, lambda call: call.agent(said=ANGRY), line={"agent_words": True})
    assert not fires(tmp_path, when, lambda call: call.agent(said=ANGRY))


@pytest.mark.parametrize("when", ["fused: {p_negative_at_least: 0.5}", "score: {of: worst, at_most: -0.3, utterances: 1}"])
@pytest.mark.parametrize(("times", "expected"), [(1, False), (2, False), (3, True)])
def test_voice_alone_never_alerts_unless_sustained_however_it_is_asked(tmp_path, when, times, expected):
    def script(call):
        for _ in range(times):
            call.customer(Absent(reason=Absence.NO_MODEL), SHOUTING)

    assert fires(tmp_path, when, script) is expected


def test_voice_alone_beside_a_negation_is_still_alone(tmp_path):
    when = "all: [{fused: {p_negative_at_least: 0.5}}, {not: {cause: {any_of: [refund]}}}]"
    assert not fires(tmp_path, when, lambda call: call.customer(Absent(reason=Absence.NO_MODEL), SHOUTING))


def test_voice_with_words_behind_it_may_alert_at_once(tmp_path):
    when = "all: [{voice: {p_negative_at_least: 0.5}}, {cause: {any_of: [billing]}}]"
    assert fires(tmp_path, when, lambda call: call.customer(ANGRY, SHOUTING))


def test_a_rule_on_the_voice_alone_is_refused_unless_sustained(tmp_path):
    with pytest.raises(ConfigError, match=r"line 7.*sustained: 3"):
        inline(tmp_path, "voice: {p_negative_at_least: 0.5}")
