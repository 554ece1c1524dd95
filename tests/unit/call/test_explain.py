"""Why there was an alert, or none: what each rule needed and what there was, at every moment of a call."""

import argparse
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.__main__ import run_command
from edge.call.explain import behind_each_rule, explain_events, row
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.outcome import Outcome
from edge.call.rules.review import Decision, RuleReview
from edge.call.rules.rule_set import load_rules
from edge.cli import explain
from edge.report.page import write_report
from edge.values import Absent, Privacy, Role
from edge.wire.cloudevents import envelope
from edge.wire.commands import CallContext
from tests.conversation import ANGRY, CALM, NOON, PLEASED, UNHEARD, Conversation, voice, words
from tests.unit.call.test_call import steps


def watched(**given) -> tuple[Conversation, list[RuleReview]]:
    looks: list[RuleReview] = []
    return Conversation(watch=looks.append, **given), looks


def encoded(call: Conversation) -> list[bytes]:
    return [envelope(event, site="leeds", device="desk-014", sequence=n) for n, event in enumerate(call.events, 1)]


def of(looks: list[RuleReview], rule: str) -> list[RuleReview]:
    return [look for look in looks if look.rule.id == rule]


def missing(look: RuleReview) -> list[tuple[str, str, str]]:
    return [(one.what, one.needed, one.had) for one in look.outcome.missing]


# --- an outcome ------------------------------------------------------------------------------------------------------


def test_an_alert_that_nearly_came_says_how_near_and_what_was_missing():
    call, looks = watched()
    call.customer(ANGRY).agent()
    last = of(looks, "sustained-anger")[-1]
    assert last.decision is Decision.NOT_MET
    p = call.utterances[0].verdict.p_negative
    # One very negative and another: the first is here, and half of what the other asks.
    assert last.outcome.nearness == pytest.approx((1 + 1 / 2) / 2)
    assert missing(last)[-3:] == [
        ("fused p_negative", "at least 0.85, 2 times", f"{p:.2f} at 00:00"),
        ("fused p_negative", "at least 0.50, 2 times", f"{p:.2f} at 00:00"),
        ("signal", "waiting or repeat or conduct or irony or anger", "none at 00:00"),
    ]
    call.customer(ANGRY)
    opened = of(looks, "sustained-anger")[-1]
    assert (opened.decision, opened.outcome.nearness, missing(opened)) == (Decision.OPENED, 1.0, [])
    assert opened.outcome.why == tuple(call.reason("sustained-anger")[0].drivers)


def test_of_two_conditions_the_one_that_held_and_the_one_that_did_not_are_told_apart():
    call, looks = watched()
    call.customer(ANGRY).quiet(7)
    last = of(looks, "dead-air-after-complaint")[-1]
    conditions = {one["asked"]: (one["holds"], one["had"]) for one in row(last)["conditions"]}
    assert conditions["fused p_negative"] == (True, f"{call.utterances[0].verdict.p_negative:.2f} at 00:00")
    assert conditions["silence"] == (False, "none; 7.0 s so far, and nobody knows whether the call goes on")
    call.agent()
    last = of(looks, "dead-air-after-complaint")[-1]
    assert missing(last) == [("silence", "10 s", "of 7.0 s from 00:02")]
    assert last.outcome.nearness == pytest.approx((1 + 0.7) / 2)


def test_what_lies_too_far_apart_says_how_far(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules: [{id: near, says: Near., severity: low, route: team, when: {near: {first: {cause: {any_of: [billing]}},"
        " then: {fused: {polarity_at_least: 0.3}}, within_s: 10}}}]"
    )
    call, looks = watched(rules=load_rules(path))
    call.customer(ANGRY).quiet(20).customer(PLEASED)
    assert missing(looks[-1]) == [("from one to the other", "at most 10 s, in this order", "20.0 s")]
    call, looks = watched(rules=load_rules(path))
    call.customer(PLEASED).customer(ANGRY)
    assert missing(looks[-1]) == [("from one to the other", "at most 10 s, in this order", "only the other way round")]


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, max_size=20))
def test_whatever_is_said_an_outcome_holds_or_says_what_is_missing_and_what_opened_is_what_was_alerted(script):
    call, looks = watched(config={"privacy": Privacy.TRANSCRIPT})
    for name, *what in script:
        match name:
            case "customer":
                call.customer(*what)
            case "agent":
                call.agent(interrupted=what[0])
            case "quiet":
                call.quiet(what[0])
            case "tone":
                call.tone(what[0])
    for look in looks:
        outcome: Outcome = look.outcome
        assert 0 <= outcome.nearness <= 1
        assert outcome.holds == (not outcome.missing)
        assert not outcome.holds or outcome.nearness == 1
        assert all(one.needed and one.had and not one.parts for one in outcome.missing)
    opened = [(look.rule.id, look.at_ms) for look in looks if look.decision is Decision.OPENED]
    assert opened == list(dict.fromkeys((reason.rule, reason.offset_ms) for alert in call.alerts for reason in alert.reasons))


# --- what was dropped, and why ---------------------------------------------------------------------------------------


def test_what_the_alert_budget_held_back_says_so():
    history = AlertHistory()
    for n in range(8):
        history.opened(NOON, f"call-{n}", "other", None)
    call, looks = watched(alert_history=history)
    for _ in range(3):
        call.customer(words(2.2, -1.0)).agent()
    last = of(looks, "sustained-anger")[-1]
    assert last.decision is Decision.BUDGET
    assert "8 calls in the last hour, 6 meant" in last.note
    assert call.alerts == []


def test_what_the_cooldown_held_back_says_so():
    history, known = AlertHistory(), CallContext(customer_ref="C-1")
    leaving = words(1.0, 0.0, cause="retention")
    Conversation(alert_history=history, context=known).customer(leaving)
    call, looks = watched(alert_history=history, context=known)
    call.customer(leaving)
    assert of(looks, "retention-risk")[-1].decision is Decision.COOLDOWN
    assert not call.alert("retention-risk")


def test_the_voice_alone_says_that_words_are_missing():
    call, looks = watched()
    call.customer(Absent(reason="no_model"), voice(4, -4, 1.0), seconds=1).quiet(14).agent()
    last = of(looks, "dead-air-after-complaint")[-1]
    assert missing(last) == [("utterances of voice alone", "3, or words behind one of them", "1")]
    assert call.alerts == []


def test_utterances_that_could_not_be_judged_are_counted_by_reason():
    call, looks = watched()
    call.customer(Absent(reason="no_words")).customer(Absent(reason="no_model")).customer(words(4, -2, 0.1))
    assert of(looks, "retention-risk")[-1].outcome.unjudged == {"no_words": 1, "no_model": 1, "badly heard (quality under 0.3)": 1}


def test_a_mixed_line_says_that_its_voice_is_not_judged_and_a_line_of_one_side_that_it_knows_no_silence():
    call = Conversation(roles=[Role.MIXED]).says(Role.MIXED, said=ANGRY, sounds=Absent(reason="mixed_channel")).over()
    (explained,) = explain_events(encoded(call), load_rules(None))
    assert explained.abstained["voice"] == {"mixed_channel": 1}
    call, looks = watched(roles=[Role.CUSTOMER])
    call.customer(ANGRY).quiet(20).customer(CALM)
    assert ("silence", "10 s", "only one side is on the line") in missing(of(looks, "dead-air-after-complaint")[-1])


# --- stored calls, the command, the page -----------------------------------------------------------------------------


def story(**given) -> Conversation:
    call = Conversation(**given).customer(CALM).agent()
    for _ in range(3):
        call.customer(ANGRY).agent()
    return call.customer(UNHEARD, UNHEARD).agent().over()


def test_no_word_of_the_call_is_in_an_explanation_whatever_the_tier():
    call = story(config={"privacy": Privacy.TRANSCRIPT})
    (explained,) = explain_events(encoded(call), load_rules(None))
    told = json.dumps(behind_each_rule(explained))
    assert "[name]" in b"".join(encoded(call)).decode()
    assert "[name]" not in told
    assert "this is not good" not in told


def test_stored_events_are_explained_as_the_live_call_was():
    call, looks = watched()
    for _ in range(4):
        call.customer(ANGRY).agent()
    call.over()
    (explained,) = explain_events(encoded(call), load_rules(None))
    live = next(look for look in looks if look.decision is Decision.OPENED)
    stored = explained.decisive("sustained-anger")
    assert row(stored) == row(live)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="undertone")
    explain.add_parser(parser.add_subparsers())
    return run_command(parser, arguments)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(encoded(story())) + b"\n")
    return path


def test_the_table_has_a_row_for_each_rule_told_or_not(events, capsys):
    assert main(["explain", str(events)]) == 0
    shown = capsys.readouterr().out
    assert all(rule.id in shown for rule in load_rules(None).rules)
    assert "alert to the team of its" in shown
    assert "missing signal: called_before" in shown
    assert "not judged by words: too_short 1" in shown or "not judged by voice" in shown


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"decision": "opened", "route": "legal"}, "alert to team legal, severity high: Angry."),
        ({"decision": "opened", "route": "cause"}, "alert to the team of its cause, severity high: Angry."),
        ({"decision": "told_before"}, "its alert had gone out before, in this call"),
        ({"decision": "budget", "note": "alert budget: 9 calls"}, "held back (alert budget: 9 calls)"),
        ({"decision": "not_met", "nearness": 0.5}, "not met, 50% there"),
    ],
)
def test_what_became_of_a_rule_is_told_in_plain_words(row, said):
    assert explain._became({"severity": "high", "says": "Angry.", "route": "", "nearness": 0, "note": None} | row) == said


def test_at_a_moment_each_rule_stands_as_it_did_then(events, capsys):
    assert main(["explain", str(events), "--at", "7", "--json"]) == 0
    rows = {found["rule"]: found for found in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["sustained-anger"]["decision"] == "not_met"
    assert rows["sustained-anger"]["at_ms"] <= 7000
    assert 0 < rows["sustained-anger"]["nearness"] < 1


def test_of_one_rule_every_moment_that_changed_something(events, capsys):
    assert main(["explain", str(events), "--rule", "sustained-anger", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {found["rule"] for found in rows} == {"sustained-anger"}
    assert [found["decision"] for found in rows].count("opened") == 1
    assert [found["at_ms"] for found in rows] == sorted(found["at_ms"] for found in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rule", "no-such-rule"], "there is sustained-anger"),
        (["--at", "9999"], "give a moment in it"),
        (["--at", "-1"], "give a moment in it"),
    ],
)
def test_what_is_not_there_is_one_line_with_the_remedy(events, arguments, told, capsys):
    assert main(["explain", str(events), *arguments]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.count("\n") == 1


def test_a_file_that_is_none_is_refused(tmp_path, capsys):
    assert main(["explain", str(tmp_path / "none.wav")]) == 2
    (tmp_path / "bad.jsonl").write_text("{\n")
    assert main(["explain", str(tmp_path / "bad.jsonl")]) == 1
    assert "line 1" in capsys.readouterr().err


def test_the_report_page_has_each_rule_with_what_was_missing_behind_it(tmp_path):
    lines = encoded(story())
    (explained,) = explain_events(lines, load_rules(None))
    page = tmp_path / "call.html"
    write_report(page, [json.loads(line) for line in lines], explained={explained.stored.call: behind_each_rule(explained)})
    text = page.read_text(encoding="utf-8")
    assert text.count('<details class="rule">') == len(load_rules(None).rules)
    assert "<td>missing</td><td>signal</td><td>called_before</td>" in text
    assert "of what it needed was there" in text
