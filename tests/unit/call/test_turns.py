"""Live turn-taking: silence, dead air, overlap, gaps, rate, loudness."""

import numpy as np
import pytest

from edge.values import Role
from edge.wire.events import Metrics, Summary
from tests.conversation import ANGRY, Conversation, words

CUSTOMER, AGENT = Role.CUSTOMER, Role.AGENT


def role(data, name):
    return next(one for one in data.roles if one.role == name)


def summary(call: Conversation) -> Summary:
    return call.over().data(Summary)[0]


def test_talk_and_its_share_count_each_side():
    told = summary(Conversation().customer(seconds=6).agent(seconds=2))
    assert role(told, "customer").talk_ms == 6000
    assert role(told, "customer").talk_share == 0.75
    assert role(told, "agent").talk_share == 0.25


def test_silence_is_mutual_and_breaths_are_not_silence():
    told = summary(Conversation().customer().quiet(0.18).customer().quiet(2).agent())
    assert told.silence_ms == 2000
    assert told.longest_silence_ms == 2000
    assert told.dead_air_ms == 0


def test_dead_air_counts_from_where_the_silence_began_once_it_is_five_seconds():
    assert summary(Conversation().customer().quiet(4.9).agent()).dead_air_ms == 0
    assert summary(Conversation().customer().quiet(8).agent()).dead_air_ms == 8000


def test_dead_air_of_the_windows_adds_up_to_the_summarys():
    call = Conversation().customer(seconds=9).quiet(14).agent().quiet(7)
    told = summary(call)
    assert told.dead_air_ms == 21_000
    assert sum(window.dead_air_ms for window in call.data(Metrics)) == 21_000
    assert sum(window.silence_ms for window in call.data(Metrics)) == told.silence_ms


def test_hold_music_is_no_dead_air_but_a_key_press_does_not_excuse_it():
    assert summary(Conversation().customer().quiet(1).tone("music").quiet(20).agent()).dead_air_ms == 0
    assert summary(Conversation().customer().quiet(1).tone("dtmf").quiet(20).agent()).dead_air_ms == 21_000


def test_silence_after_a_hold_that_speech_ended_counts_again():
    told = summary(Conversation().customer().tone("music").quiet(10).agent().quiet(6).agent())
    assert told.dead_air_ms == 6000


def test_the_customer_speaking_over_hold_music_does_not_end_the_hold():
    assert summary(Conversation().agent().tone("music").quiet(8).customer().quiet(8).agent()).dead_air_ms == 0


def test_a_line_that_hears_one_side_knows_no_mutual_silence_and_no_share():
    told = summary(Conversation(roles=[CUSTOMER]).customer().quiet(20).customer())
    assert (told.silence_ms, told.dead_air_ms, told.overlap_ms, told.longest_silence_ms) == (None, None, None, None)
    assert told.roles[0].talk_share is None


def test_a_mixed_line_knows_silence_but_not_overlap():
    told = summary(Conversation(roles=[Role.MIXED]).says(Role.MIXED).quiet(6).says(Role.MIXED))
    assert told.dead_air_ms == 6000
    assert told.overlap_ms is None


def test_overlap_is_when_both_speak():
    told = summary(Conversation().customer(seconds=1.0, over=[AGENT]).agent())
    assert told.overlap_ms == 1000


def test_who_broke_in_is_counted_for_who_did_it():
    call = Conversation().agent().customer(interrupted=True, overlap_samples=8000)
    assert call.utterances[1].turn.interrupted
    assert call.utterances[1].turn.overlap_ms == 500
    told = summary(call)
    assert role(told, "customer").interruptions == 1
    assert role(told, "agent").interruptions == 0


def test_the_response_gap_is_from_the_other_sides_last_word():
    call = Conversation().customer().quiet(1.5).agent()
    assert call.utterances[1].turn.response_gap_ms == 1500


def test_going_on_after_ones_own_pause_is_no_response():
    call = Conversation().agent().quiet(1).customer().quiet(2).customer()
    assert [one.turn.response_gap_ms for one in call.utterances] == [None, 1000, None]


def test_the_second_part_of_a_monologue_answers_nobody():
    call = Conversation().agent().customer(seconds=12).customer(seconds=3, part=1)
    assert call.utterances[2].turn.response_gap_ms is None


def test_words_a_minute_are_of_the_speech_and_null_for_too_little():
    assert Conversation().customer(words(count=5), seconds=2).utterances[0].turn.words_per_minute == 150
    assert Conversation().customer(words(count=2), seconds=2).utterances[0].turn.words_per_minute is None
    assert Conversation().customer(seconds=2).utterances[0].turn.words_per_minute is None


def test_pre_roll_is_not_speech():
    voiced = np.ones(150, np.bool_)
    voiced[:50] = False
    call = Conversation().customer(words(count=6), seconds=3, voiced=voiced)
    assert call.utterances[0].turn.words_per_minute == 180


def test_loudness_is_against_the_speakers_own_first_utterances():
    call = Conversation()
    for level in (-30.0, -28.0, -32.0, -20.0):
        call.customer(level_dbfs=level)
    call.agent(level_dbfs=-10.0)
    assert [one.turn.level_vs_baseline_db for one in call.utterances] == [None, None, None, 10.0, None]


@pytest.mark.parametrize("seconds", [14.9, 15.1, 46])
def test_metrics_come_every_fifteen_seconds_and_once_more_for_the_rest(seconds):
    call = Conversation().customer(ANGRY, seconds=seconds).over()
    windows = call.data(Metrics)
    assert [window.start_ms for window in windows] == [15_000 * n for n in range(len(windows))]
    assert windows[-1].end_ms == call.data(Summary)[0].duration_ms
    assert all(window.end_ms - window.start_ms == 15_000 for window in windows[:-1])


def test_windows_and_summary_tell_of_the_same_talk():
    call = Conversation().customer(ANGRY, seconds=9).agent(seconds=9).quiet(3).customer(seconds=7).over()
    told = call.data(Summary)[0]
    for name in ("customer", "agent"):
        assert sum(role(window, name).talk_ms for window in call.data(Metrics)) == role(told, name).talk_ms
        assert sum(role(window, name).utterances for window in call.data(Metrics)) == role(told, name).utterances


def test_tones_and_holes_are_told():
    call = Conversation().customer().lost(0.1).tone("music").tone("dtmf").over()
    told = call.data(Summary)[0]
    assert told.tones == ["dtmf", "music"]
    assert told.lost_ms == 100
