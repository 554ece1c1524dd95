"""Files of rules: what is refused, and how a new file is taken over."""

import os
from pathlib import Path

import pytest

from edge.call.rules.rule_set import SHIPPED, RuleBook, load_rules
from edge.errors import ConfigError
from tests.conversation import ANGRY, CALM, Conversation
from tests.unit.call.written_rules import RULE, inline, probe


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("fused: {p_negative_atleast: 0.6}", "did you mean 'p_negative_at_least'"),
        ("fused: {p_negative_at_least: 1.6}", "<= 1"),
        ("fused: {p_negative_at_least: high}", "expected `float"),
        ("fused: {sustained: 3}", "says no threshold"),
        ("trend: {}", "says no threshold"),
        ("fuzed: {p_negative_at_least: 0.6}", "did you mean 'fused'"),
        ("cause: {any_of: []}", "length >= 1"),
        ("cause: {any_of: [billing]}, words: {p_negative_at_least: 0.6}", "exactly one key"),
        ("", "exactly one key"),
        ("all: []", "length >= 1"),
        ("near: {first: {trend: {per_minute_at_most: 0}}, within_s: 3}", "missing required field `then`"),
        ("loudness: {db_at_least: 6}", "sustained: 3"),
    ],
)
def test_a_mistake_is_one_line_with_file_line_key_and_remedy(tmp_path, when, told):
    with pytest.raises(ConfigError) as refused:
        inline(tmp_path, when)
    message = str(refused.value)
    assert told in message
    assert "\n" not in message
    assert f"{tmp_path / 'inline.yaml'}: line 7: key 'rules[0].when" in message
    assert ";" in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules:\n  - {id: a\n", "line 3"),
        ("- a\n", "expected `object`"),
        ("", "missing required field `rules`"),
        (RULE.replace("severity: low", "severity: huge") + "      trend: {per_minute_at_most: 0}\n", "line 4"),
        (RULE.replace("route: team", "route: Team A") + "      trend: {per_minute_at_most: 0}\n", "line 5"),
        ((RULE + "      trend: {per_minute_at_most: 0}\n") + (RULE + "      trend: {per_minute_at_most: 0}\n")[7:], "used twice"),
    ],
)
def test_a_bad_file_says_where(tmp_path, text, told):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_rules(path)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_rules(tmp_path / "none.yaml")


def _rewrite(path: Path, text: str, age: int):
    path.write_text(text)
    os.utime(path, ns=(age, age))


def test_a_good_new_file_is_taken_over_and_a_bad_one_refused(tmp_path, caplog):
    path = tmp_path / "rules.yaml"
    good = SHIPPED.read_text(encoding="utf-8")
    _rewrite(path, good, 1_000)
    book = RuleBook(path)
    assert book.current() is book.current()
    assert len(book.current().rules) == 7

    _rewrite(path, good.replace("severity: critical", "severity: hopeless"), 2_000)
    with caplog.at_level("INFO", "undertone.rules"):
        assert len(book.current().rules) == 7
        assert len(book.current().rules) == 7
    assert [record.message.split()[0] for record in caplog.records] == ["rules.refused"]
    assert "hopeless" in caplog.text

    _rewrite(path, RULE + "      trend: {per_minute_at_most: 0}\n", 3_000)
    assert [rule.id for rule in book.current().rules] == ["probe"]

    path.unlink()
    assert [rule.id for rule in book.current().rules] == ["probe"]


def test_new_rules_are_judged_by_in_the_middle_of_a_call(tmp_path):
    call = Conversation(rules=probe(tmp_path, "cause: {any_of: [refund]}")).customer(ANGRY)
    assert call.alerts == []
    call.call.take_rules(probe(tmp_path, "cause: {any_of: [billing]}"))
    call.customer(CALM)
    assert call.found == ["probe"]
