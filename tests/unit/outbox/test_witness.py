"""The outbox's files spoilt, cut or deleted while the box is off: whatever was given out is told or announced, and no number twice.

An image is what a killed box leaves on the disk: its files, copied while it has them open.
"""

import json
import os
import random
import shutil
import sqlite3
from collections import defaultdict
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.outbox import witness
from edge.outbox.witness import Marks, Witness
from tests.telling import alert, consumer, failed, open_outbox, started, text

DB, LOG, WITNESS = "outbox.sqlite", "outbox.sqlite-wal", "outbox.witness"


def take(outbox, count=10_000):
    taken = []
    while rows := outbox.pending(count - len(taken)):
        for row in rows:
            outbox.sent(row)
            outbox.acknowledged(row)
        taken += [(row.topic, json.loads(row.body)) for row in rows]
    return taken


class Image:
    """What a box that was killed left, and what the world has seen of it by then."""

    def __init__(self, folder: Path, *, sent: int = 25, waiting: int = 20) -> None:
        self.folder = folder / "killed"
        home = folder / "running"
        outbox = open_outbox(home)
        outbox.put([started("c0"), started("c1"), alert(call="c1"), failed("c0")])
        outbox.put([text(n) for n in range(1, sent + 1)])
        self.seen = take(outbox)
        outbox.counts()
        # What is committed here is in the file itself; what comes after, in its log.
        outbox._store.scrub()
        outbox.put([text(n) for n in range(100, 100 + waiting)])
        outbox.put([alert(1, "update", call="c1"), started("c2", "line-2")])
        self.seen += take(outbox, 5)
        outbox.put([text(200, line="line-3")])
        outbox.counts()
        self.given = dict(outbox.counts().sequences)
        shutil.copytree(home, self.folder)
        outbox.close()

    def reopen(self):
        """A start on what is left, and all that it then tells, with a new event on each topic of text."""
        outbox = open_outbox(self.folder)
        outbox.recover()
        outbox.put([text(900), text(901, line="line-3"), alert(5, call="c9"), started("c9")])
        told = []
        while more := take(outbox):
            told += more
        outbox.close()
        return told

    def prove(self, told) -> dict[str, dict]:
        """That no number has two ids and that none is missing without a word; the gaps, by topic."""
        ids, prove = defaultdict(set), consumer()(since=0)
        for topic, event in [*self.seen, *told]:
            ids[topic, event["sequence"]].add(event["id"])
            prove.take(f"p/{topic}", event)
        assert [key for key, names in ids.items() if len(names) > 1] == []
        assert prove.missing() == {}
        gaps = {event["data"]["topic"]: event["data"] for topic, event in told if topic == "gap"}
        come = {(topic, event["sequence"]) for topic, event in [*self.seen, *told]}
        for topic, last in self.given.items() if "*" not in gaps else ():
            announced = range(gaps[topic]["first"], gaps[topic]["last"] + 1) if topic in gaps else ()
            assert [n for n in range(1, last + 1) if (topic, n) not in come and n not in announced] == []
        return gaps


def ended(told) -> set[str]:
    return {event["data"]["call"] for topic, event in told if topic.endswith("/failed")}


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


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Copies of one image, each to be spoilt."""
    from contextlib import contextmanager
    from copy import copy
    from tempfile import TemporaryDirectory

    whole = Image(tmp_path_factory.mktemp("image"))

    @contextmanager
    def one():
        with TemporaryDirectory() as folder:
            image = copy(whole)
            image.folder = Path(folder) / "killed"
            shutil.copytree(whole.folder, image.folder)
            yield image

    return one


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


def test_a_spoilt_counter_without_a_witness_goes_on_far_above_and_says_so(killed):
    with killed() as spoilt:
        (spoilt.folder / WITNESS).unlink()
        with sqlite3.connect(spoilt.folder / DB) as db:
            db.execute("UPDATE sequences SET last = 3 WHERE topic = 'text/line-1'")
        db.close()
        gaps = spoilt.prove(spoilt.reopen())
        assert gaps["text/line-1"]["reason"] == "uncertain"
        assert gaps["text/line-1"]["last"] > 1_000_000_000_000


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b""), lambda path: os.truncate(path, 30)])
def test_the_witness_itself_may_be_lost(killed, spoil):
    with killed() as image:
        spoil(image.folder / WITNESS)
        told = image.reopen()
        assert image.prove(told) == {}


def test_a_witness_that_is_spoilt_beside_a_file_that_is_gone_still_says_that_there_was_one(killed):
    with killed() as image:
        (image.folder / DB).unlink()
        (image.folder / WITNESS).write_bytes(b"?" * 100)
        assert image.prove(image.reopen())["*"]["reason"] == "store_damaged"


def test_after_a_power_cut_the_witness_may_be_behind_and_more_is_left_out_where_the_log_is_gone(killed, monkeypatch):
    with killed() as image:
        marks, _ = witness._read(image.folder / WITNESS)
        older = {topic: max(last - 3, 1) for topic, last in marks.sequences.items()}
        (image.folder / WITNESS).unlink()
        monkeypatch.setattr(witness, "machine_start", lambda: "the start before")
        old = Witness(image.folder / WITNESS)
        old.tell(msgspec.structs.replace(marks, sequences=older))
        os.close(old._file)
        monkeypatch.undo()
        (image.folder / LOG).unlink()
        gaps = image.prove(image.reopen())
        assert gaps["text/line-1"]["last"] > image.given["text/line-1"] + 1000


def test_after_a_power_cut_a_file_that_is_whole_is_believed_and_nothing_is_announced(killed, monkeypatch):
    with killed() as image:
        monkeypatch.setattr(witness, "machine_start", lambda: "a later start")
        assert image.prove(image.reopen()) == {}


def test_an_idle_box_writes_nothing_and_events_cost_no_flush_of_the_witness(tmp_path, monkeypatch):
    flushed, written = [], []
    flush, write = os.fdatasync, os.pwrite
    monkeypatch.setattr(os, "fdatasync", lambda file: (flushed.append(file), flush(file))[1])
    monkeypatch.setattr(os, "pwrite", lambda *args: (written.append(len(args[1])), write(*args))[1])
    outbox = open_outbox(tmp_path)
    assert len(flushed) == 1
    outbox.put([started()])
    assert len(flushed) == 2
    for n in range(200):
        outbox.put([text(n)])
    assert len(flushed) == 2
    assert max(written) < 1000
    assert (tmp_path / WITNESS).stat().st_blocks * 512 <= 16_384
    take(outbox)
    outbox.counts()
    before = len(written)
    for _ in range(100):
        outbox.counts()
        outbox.pending(20)
        outbox.records.answerable_alerts()
    assert len(written) == before
    outbox.close()


def test_a_disk_that_does_not_take_the_witness_costs_the_witness_alone(tmp_path, monkeypatch, caplog):
    outbox = open_outbox(tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    outbox.put([text(n) for n in range(3)])
    outbox.put([text(n) for n in range(3, 6)])
    assert [event["sequence"] for _, event in take(outbox)] == [1, 2, 3, 4, 5, 6]
    assert caplog.text.count("outbox.witness_unwritable") == 1
    monkeypatch.undo()
    outbox.close()
    assert witness._read(tmp_path / WITNESS)[0].sequences == {"text/line-1": 6}


@settings(max_examples=20)
@given(st.dictionaries(st.text(max_size=20), st.integers(0, 2**62), max_size=50), st.integers(0, 2**40))
def test_what_is_told_is_read_again_and_a_torn_write_leaves_what_was_told_before(sequences, boot):
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / WITNESS
        first = Witness(path)
        first.tell(Marks(boot=1, base=0, sequences={}, calls={}))
        told = Marks(boot=boot, base=5, sequences=sequences, calls={"c1": ("line-1", "noon")})
        first.tell(told)
        os.close(first._file)
        again, _ = witness._read(path)
        assert msgspec.structs.replace(again, machine="") == told
        with path.open("r+b") as file:
            # The second is in the first place.
            file.seek(witness._HEAD.size)
            file.write(b"\0\0")
        assert witness._read(path)[0].boot == 1
