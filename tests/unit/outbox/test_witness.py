"""The small file beside the outbox that says which numbers were given out: lost, spoilt, behind or torn, and what it costs."""

import os
import sqlite3
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.outbox import witness
from edge.outbox.witness import Marks, Witness
from tests.telling import open_outbox, started, text
from tests.unit.outbox.killed import DB, LOG, WITNESS, take


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
