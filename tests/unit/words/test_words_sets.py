"""Our own sentences, calm turns of public corpora, and what calibration makes of them."""

import numpy as np
import pytest

from convert.words.corpus import LABELS
from convert.words.held_out import CALM, DISPLEASED, held_figures, held_out, weights_of
from convert.words.report import read_sentences
from convert.words.sets import chosen, lessons, read_calm, read_pairs, read_said
from edge.errors import UsageError
from edge.phrases.tokens import tokenize
from edge.words.combine import CALLS
from tests.words.sealed import CALLERS
from tests.words.sealed import PAIRS as SEALED_PAIRS

PAIRS, SAID = read_pairs(), read_said()


def test_our_pairs_are_many_of_many_trades_and_a_part_is_held_out():
    assert len(PAIRS) >= 300
    assert len({pair.trade for pair in PAIRS}) >= 12
    held = [pair for pair in PAIRS if pair.held]
    assert len(held) >= 80
    # Whole trades are never learnt from, and single matters of the others.
    learnt = {pair.trade for pair in PAIRS if not pair.held}
    assert len({pair.trade for pair in held} - learnt) >= 3
    assert len({pair.trade for pair in held} & learnt) >= 8


def test_our_sentences_are_written_as_spoken():
    texts = [text for pair in PAIRS for text in (pair.calm, pair.displeased)] + [one.text for one in SAID]
    assert [text for text in texts if " ".join(tokenize(text)) != text] == []


def test_no_sentence_stands_twice_and_none_on_both_sides():
    texts = [text for pair in PAIRS for text in (pair.calm, pair.displeased)] + [one.text for one in SAID]
    assert len(set(texts)) == len(texts)
    assert {one.label for one in SAID} == set(LABELS)


def test_nothing_held_out_is_learnt():
    learnt = {" ".join(lesson.tokens) for lesson in lessons(PAIRS, SAID, (), ())}
    held = held_out(PAIRS, SAID, ())
    assert learnt.isdisjoint(held.texts)
    assert len(learnt) == 2 * sum(not pair.held for pair in PAIRS) + sum(not one.held for one in SAID)


def test_nothing_sealed_is_learnt_or_chosen_on():
    ours = {text for pair in PAIRS for text in (pair.calm, pair.displeased)} | {one.text for one in SAID}
    sealed = read_sentences([CALLERS]).texts + [text for pair in read_pairs(SEALED_PAIRS) for text in (pair.calm, pair.displeased)]
    assert len(sealed) >= 400
    assert ours.isdisjoint(sealed)


@pytest.fixture
def calm(tmp_path):
    turns = tmp_path / "turns.tsv"
    lines = [f"bank\ti would like to pay in cheque number {'one ' * count}" for count in range(40)] + ["bank\tthat is great"]
    turns.write_text("\n".join(["trade\ttext", *lines]), encoding="utf-8")
    roles = tmp_path / "roles.tsv"
    roles.write_text("role\ttext\nagent\tmay i have your name\ncustomer\tit is ann\n", encoding="utf-8")
    rated = tmp_path / "rated.tsv"
    rated.write_text("rating\ttext\n3.33\ta table for two\n2.1\tno not that one\n", encoding="utf-8")
    return read_calm([turns, roles, rated])


def test_of_calm_turns_agents_and_the_satisfied_are_taken_and_a_third_held(calm):
    texts = {one.text for one in calm}
    assert {"may i have your name", "a table for two"} <= texts
    assert not {"it is ann", "no not that one"} & texts
    assert {one.group for one in calm} == {"turns: bank", "roles", "rated"}
    assert 3 <= sum(one.held for one in calm) <= 22
    learnt = chosen(calm, 10)
    assert not {one.text for one in calm if one.held} & set(learnt)
    assert "that is great" not in learnt
    assert len(learnt) <= 12


def test_a_file_without_its_columns_is_refused_by_name(tmp_path):
    (tmp_path / "bad.tsv").write_text("said\nhello\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"bad\.tsv: no column text"):
        read_calm([tmp_path / "bad.tsv"])
    with pytest.raises(UsageError, match="cannot be read"):
        read_pairs(tmp_path / "none.tsv")


def test_classes_weigh_as_on_calls(calm):
    held = held_out(PAIRS, SAID, calm)
    corpus = np.array([0] * 60 + [1] * 25 + [2] * 15)
    rows, ours = weights_of(corpus, held, np.ones(len(held.labels), bool))
    masses = [rows[corpus == label].sum() + ours[held.labels == label].sum() for label in range(3)]
    assert np.array(masses) / sum(masses) == pytest.approx(CALLS, abs=1e-6)
    assert rows.min() > 0


def test_figures_of_pairs_by_hand():
    held = held_out(PAIRS, SAID, ())
    p = np.full((len(held.texts), 3), 1 / 3)
    said = held.labels.copy()
    calm, displeased = np.flatnonzero(held.groups == CALM), np.flatnonzero(held.groups == DISPLEASED)
    p[displeased, 0] = 0.9
    p[displeased[:2], 0] = 0.1
    said[calm[0]], said[displeased[:3]] = 0, 1
    found = held_figures(p, said, held)
    assert found["calm_negative"] == pytest.approx(1 / len(calm))
    assert found["displeased_missed"] == pytest.approx(3 / len(calm))
    assert found["ranked"] == pytest.approx(1 - 2 / len(calm))
    assert found["said_right"] == 1.0
