"""The short form of `make chaos`: every row of its table, and the table itself."""

import json

import pytest

from tests.chaos import clock, desk, disk, gates, hearing, links, outbox, reach, words
from tests.chaos.__main__ import SECTIONS, rows_of
from tests.chaos.outbox import damaged_files
from tests.chaos.table import Row, Scale, markdown, write

# The machine that runs the tests may do other things; the bounds themselves are shown by `make chaos`.
SHORT = Scale(size=0.0, slack=4.0)


# paho leaves the socket of a handshake that it refused to the garbage collector.
@pytest.mark.filterwarnings(r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "section", [links, clock, disk, hearing, words, gates, desk], ids=lambda module: module.__name__.rpartition(".")[2]
)
@pytest.mark.takes(10)
def test_what_is_done_to_a_box_leaves_it_as_the_table_says(tmp_path, section):
    rows = list(section.section(tmp_path, SHORT))
    assert rows
    assert [row for row in rows if row.good is False] == []


def test_kills_of_broker_and_box_at_random_instants_lose_nothing_and_keep_the_order(tmp_path):
    outcome = outbox.kills(tmp_path, events=400, broker_kills=3, box_kills=3, seed=20261123)
    assert (outcome.lost, outcome.out_of_order, outcome.numbers_with_two_ids, outcome.unproven) == (0, 0, 0, 0)


def test_an_outbox_file_with_random_damage_never_keeps_a_box_from_going_on(tmp_path):
    assert sum(damaged_files(tmp_path, count=15, seed=20261123).values()) == 15


def test_the_audit_asks_about_what_a_box_runs_and_nothing_else():
    names = {package.partition("==")[0] for package in reach.box_packages()}
    assert {"numpy", "paho-mqtt", "msgspec", "cryptography"} <= names
    assert not names & {"tensorflow", "pytest", "amqtt"}


def test_an_audit_that_nobody_answers_is_no_good_news_and_a_known_vulnerability_fails():
    clean, skipped = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}
    bad = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1"}]}
    assert reach.verdict([clean], ["a==1"]).good is True
    nobody = reach.verdict([skipped], ["b==2"])
    assert nobody.good is None
    assert "b==2" in nobody.result
    assert reach.verdict([clean, skipped], ["a==1", "b==2"]).good is None
    found = reach.verdict([clean, bad], ["a==1", "c==2"])
    assert found.good is False
    assert "c 2: CVE-1" in found.result


def test_a_package_that_its_makers_took_back_fails():
    row = reach.yanked(["attrs==21.1.0"])
    if row.good is None:
        pytest.skip(row.result)
    assert row.good is False
    assert "`attrs==21.1.0` is yanked" in row.result


def test_a_section_that_breaks_or_cannot_be_is_a_row_and_the_command_says_which(tmp_path, capsys):
    def breaks(_folder, _scale):
        yield Row(fault="a", done="b", result="c", good=True, well_again_s=1.0)
        raise AssertionError("did not\nhappen")

    def cannot(_folder, _scale):
        pytest.skip("no sound here")
        yield

    broke = list(rows_of(breaks, "x", tmp_path / "x", SHORT))
    assert [row.good for row in broke] == [True, False]
    assert broke[1].result == "AssertionError: did not happen"
    assert next(rows_of(cannot, "y", tmp_path / "y", SHORT)).good is None
    assert markdown(broke) == "| a | b | c | 1.0 s |\n| x |  | **FAILED:** AssertionError: did not happen |  |\n"
    write(broke, tmp_path, when="2026-11-24", how="", page=tmp_path / "page.md")
    assert len(json.loads((tmp_path / "faults.json").read_text())) == 2
    assert (tmp_path / "page.md").read_text() == (tmp_path / "faults.md").read_text()


def test_every_section_is_in_the_command():
    assert set(SECTIONS) == {"outbox", "links", "clock", "disk", "capture", "words", "gates", "reach", "desk"}
