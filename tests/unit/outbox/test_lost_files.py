"""The outbox's files spoilt, cut or deleted while the box is off: whatever was given out is told or announced, and no number twice."""

import random
import sqlite3
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.telling import open_outbox, text
from tests.unit.outbox.killed import DB, LOG, Image, ended, take


def test_a_kill_alone_loses_nothing_and_announces_nothing(tmp_path):
    image = Image(tmp_path)
    told = image.reopen()
    assert image.prove(told) == {}
    assert ended(told) == {"c1", "c2"}


def test_a_file_that_is_gone_is_announced_its_calls_are_ended_and_the_numbers_go_on_above(tmp_path):
    image = Image(tmp_path)
    (image.folder / DB).unlink()
    told = image.reopen()
    assert image.prove(told)["*"]["reason"] == "store_damaged"
    assert ended(told) == {"c1", "c2"}
    assert min(event["sequence"] for topic, event in told if topic == "text/line-1") > 1_000_000_000_000


@pytest.mark.parametrize("clock", [0.0, 4e9])
def test_a_file_that_is_lost_twice_begins_above_the_first_time_whatever_the_clock_says(tmp_path, monkeypatch, clock):
    seen = []
    for number in range(3):
        monkeypatch.setattr("time.time", partial(float, clock if number else 2e9))
        outbox = open_outbox(tmp_path)
        outbox.put([text(number)])
        seen += [event["sequence"] for topic, event in take(outbox) if topic == "text/line-1"]
        outbox.close()
        (tmp_path / DB).unlink()
    assert seen == sorted(set(seen))


def test_a_lost_file_is_announced_by_the_next_start_where_a_crash_came_first(tmp_path, monkeypatch):
    image = Image(tmp_path)
    (image.folder / DB).unlink()
    with monkeypatch.context() as patch:
        patch.setattr("edge.outbox.outbox.Outbox._flush", lambda _: None)
        open_outbox(image.folder)._store.close()
    told = image.reopen()
    assert image.prove(told)["*"]["reason"] == "store_damaged"
    assert ended(told) == {"c1", "c2"}


def test_a_log_that_is_gone_is_found_out_topic_by_topic_and_what_the_file_still_has_is_told(tmp_path):
    image = Image(tmp_path)
    (image.folder / LOG).unlink()
    told = image.reopen()
    gaps = image.prove(told)
    assert "*" not in gaps
    assert (gaps["text/line-1"]["first"], gaps["text/line-1"]["last"]) == (26, 45)
    assert {gap["reason"] for gap in gaps.values()} == {"uncertain"}
    assert {gap["lost"] for gap in gaps.values()} == {None}
    assert ended(told) == {"c1", "c2"}
    # A revision that was told and is forgotten is not told again of something else.
    last = [event["data"]["revision"] for topic, event in told if topic == "alert/billing" and event["data"]["alert"] == "c1:alert"]
    assert last == [1001]


@settings(max_examples=30)
@given(share=st.floats(0, 1), part=st.sampled_from([DB, LOG]), fill=st.sampled_from(["cut", "zeros", "noise"]), at=st.integers(0, 10**6))
def test_whatever_part_of_file_or_log_is_cut_off_or_written_over_nothing_is_lost_without_a_word(killed, share, part, fill, at):
    with killed() as image:
        path = image.folder / part
        content = bytearray(path.read_bytes())
        begin = int(len(content) * share)
        if fill == "cut":
            del content[begin:]
        else:
            size = min(512, len(content) - begin)
            content[begin : begin + size] = bytes(size) if fill == "zeros" else random.Random(at).randbytes(size)
        path.write_bytes(content)
        told = image.reopen()
        image.prove(told)
        assert ended(told) >= {"c2"}


@pytest.mark.parametrize("image", ["killed", "closed"])
@pytest.mark.parametrize("bit", [*range(8), 10, 20, 40])
@pytest.mark.parametrize("topic", ["text/line-1", "alert/billing"])
def test_a_bit_of_a_counter_that_flips_up_or_down_leaves_no_hole_and_uses_no_number_twice(killed, image, bit, topic):
    with killed() as spoilt:
        if image == "closed":
            outbox = open_outbox(spoilt.folder)
            outbox.close()
        with sqlite3.connect(spoilt.folder / DB) as db:
            db.execute("UPDATE sequences SET last = (last | ?) - (last & ?) WHERE topic = ?", (1 << bit, 1 << bit, topic))
        db.close()
        gaps = spoilt.prove(spoilt.reopen())
        assert gaps == {}
