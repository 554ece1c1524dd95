"""`undertone rules check` and `try`: what would have fired, when and why, and what another rules file would change."""

import argparse
import json
import re
from pathlib import Path

import pytest

from edge.__main__ import run_command
from edge.call.rules.alert_history import AlertHistory
from edge.call.rules.rule_set import SHIPPED, load_rules
from edge.call.stored_call import play, read_stored_calls
from edge.cli import rules
from edge.wire.cloudevents import envelope
from tests.conversation import ANGRY, CALM, PLEASED, Conversation, words


def main(arguments: list[str]) -> int:
    """This one command with the exit codes and errors of the whole."""
    parser = argparse.ArgumentParser(prog="undertone")
    rules.add_parser(parser.add_subparsers())
    return run_command(parser, arguments)


def conversation(**given) -> Conversation:
    call = Conversation(**given)
    call.customer(PLEASED).agent().customer(CALM).agent()
    for _ in range(4):
        call.customer(ANGRY).agent()
    return call.customer(words(1, 0, cause="retention")).quiet(14).agent().over()


def encoded(call: Conversation) -> list[bytes]:
    return [envelope(event, site="leeds", device="desk-014", sequence=n) for n, event in enumerate(call.events, 1)]


def stored(path: Path, *calls: Conversation) -> Path:
    path.write_bytes(b"\n".join(line for call in calls for line in encoded(call)) + b"\n")
    return path


def test_stored_events_fire_what_the_live_call_fired():
    call = conversation()
    (stored,) = read_stored_calls(encoded(call))
    played = list(play(stored, load_rules(None), AlertHistory()))
    told = [(alert.state, alert.end_reason, alert.route, alert.severity) for alert in played]
    assert told == [(alert.state, alert.end_reason, alert.route, alert.severity) for alert in call.alerts]
    assert {"sustained-anger", "retention-risk", "dead-air-after-complaint"} <= {reason.rule for reason in played[-1].reasons}
    assert [reason.drivers for reason in played[-1].reasons] == [reason.drivers for reason in call.alerts[-1].reasons]
    assert played[-1].reasons == call.alerts[-1].reasons


def test_dead_air_is_found_between_stored_utterances_but_not_in_a_hold():
    waited = Conversation().customer(ANGRY).quiet(14).agent().over()
    held = Conversation().customer(ANGRY).tone("music").quiet(14).agent().over()
    fired = [
        [reason.rule for alert in play(read_stored_calls(encoded(call))[0], load_rules(None), AlertHistory()) for reason in alert.reasons]
        for call in (waited, held)
    ]
    assert "dead-air-after-complaint" in fired[0]
    assert "dead-air-after-complaint" not in fired[1]


def test_try_prints_what_fires_when_and_why(tmp_path, capsys):
    events = stored(tmp_path / "events.jsonl", conversation())
    assert main(["rules", "try", "shipped", str(events), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    anger = next(row for row in rows if row["rule"] == "sustained-anger")
    assert anger["offset_ms"] == 14_000
    assert anger["drivers"][0].startswith("fused p_negative 0.91, 0.91 at ")
    assert anger["utterances"] == [5, 7, 9, 11]
    assert main(["rules", "try", "shipped", str(events)]) == 0
    table = capsys.readouterr().out
    assert "sustained-anger" in table
    assert "00:14" in table


def test_try_against_another_file_says_what_differs(tmp_path, capsys):
    changed = tmp_path / "mine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, mine in (("0.85, times: 2,", "0.85, times: 3,"), ("0.5, times: 2,", "0.5, times: 3,")):
        assert f"fused: {{p_negative_at_least: {shipped}" in text
        text = text.replace(f"fused: {{p_negative_at_least: {shipped}", f"fused: {{p_negative_at_least: {mine}")
    changed.write_text(text.replace("any_of: [retention]", "any_of: [never]"))
    events = stored(tmp_path / "events.jsonl", conversation())
    assert main(["rules", "try", str(changed), str(events), "--against", "shipped", "--json"]) == 0
    where = {row["rule"]: row["fires_in"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert where["sustained-anger"] == "both, +4.0 s"
    assert where["retention-risk"] == "only shipped"


def test_check_lists_the_shipped_rules(capsys):
    assert main(["rules", "check"]) == 0
    shown = capsys.readouterr().out
    assert "7 rules, good" in shown
    assert "regulator-threat" in shown


def test_the_shipped_rules_ask_only_for_what_the_box_can_say(capsys):
    assert main(["rules", "check"]) == 0
    assert capsys.readouterr().err == ""


def test_check_warns_of_codes_that_are_never_heard(tmp_path, capsys):
    mine = tmp_path / "mine.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    mine.write_text(text.replace("any_of: [retention], p_at_least: 0.4, min", "any_of: [retension], p_at_least: 0.4, min"))
    assert main(["rules", "check", str(mine)]) == 0
    assert "rule 'retention-risk': cause 'retension' is never heard on this box; did you mean 'retention'?" in capsys.readouterr().err


def test_check_refuses_in_one_line(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    text = SHIPPED.read_text(encoding="utf-8").replace("withdraw:", "withdrow:")
    bad.write_text(text)
    assert main(["rules", "check", str(bad)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "did you mean 'withdraw'" in said
    assert re.search(r"line (\d+)", said)[1] in [str(at) for at, line in enumerate(text.splitlines(), 1) if "withdrow" in line]


@pytest.mark.parametrize("content", [b'{"type": 3}\n', b'{"type": "undertone.call.utterance.v1", "time": "x", "data": {}}\n', b"{oops\n"])
def test_events_that_are_none_are_one_line_with_their_number(tmp_path, capsys, content):
    events = tmp_path / "events.jsonl"
    events.write_bytes(content)
    assert main(["rules", "try", "shipped", str(events)]) == 1
    said = capsys.readouterr().err
    assert "line 1" in said
    assert said.count("\n") == 1


def test_a_missing_file_says_what_to_give(tmp_path, capsys):
    assert main(["rules", "try", "shipped", str(tmp_path / "none.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_the_budget_runs_over_all_calls(tmp_path, capsys):
    text = SHIPPED.read_text(encoding="utf-8").replace("alerts_per_hour: 6, raise_by: 0.25", "alerts_per_hour: 1, raise_by: 0.9")
    tight = tmp_path / "tight.yaml"
    tight.write_text(text)
    calls = [conversation(call_id="call-1"), conversation(call_id="call-2")]
    events = stored(tmp_path / "events.jsonl", *calls)
    main(["rules", "try", "shipped", str(events), "--json"])
    loose = capsys.readouterr().out.count("\n")
    main(["rules", "try", str(tight), str(events), "--json"])
    assert capsys.readouterr().out.count("\n") < loose
