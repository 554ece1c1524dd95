"""A file of the outbox that is damaged, old, read-only or shared: what can be kept is kept, what is lost is announced."""

import os
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.outbox.outbox import Outbox
from edge.outbox.sqlite import MIGRATIONS
from tests.telling import alert, bodies, consumer, open_outbox, take, text


def open_files() -> list[str]:
    """What this process holds open."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which they are listed
            found.append(str(handle.readlink()))
    return found


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\0" * path.stat().st_size),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(b"not a database at all" * 1000),
        lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99").connection.close(),
        lambda path: sqlite3.connect(path, isolation_level=None).execute("UPDATE meta SET value = 'x'").connection.close(),
    ],
    ids=["emptied", "zeroed", "cut in half", "cut to 1000 bytes", "garbage", "of a later version", "counters that are no numbers"],
)
def test_a_damaged_file_is_set_aside_announced_and_the_numbers_go_on_above_all_that_were_used(tmp_path, damage):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(1, 200)])
    prove = consumer()(since=0)
    for event in take(outbox, 60):
        prove.take("p/text/line-1", event)
    outbox.close()
    damage(tmp_path / "outbox.sqlite")
    outbox = open_outbox(tmp_path)
    outbox.put([text(500)])
    gap, first = bodies(outbox)
    assert gap["data"] == {"topic": "*", "first": None, "last": None, "lost": None, "reason": "store_damaged"}
    assert first["sequence"] > 1_000_000_000_000
    assert (tmp_path / "outbox.sqlite.damaged").exists()
    assert [name for name in open_files() if name.startswith(str(tmp_path / "outbox.sqlite.damaged"))] == []
    prove.take("p/gap", gap)
    prove.take("p/text/line-1", first)
    assert prove.missing() == {}
    assert len(prove.store_losses) == 1
    outbox.close()


def test_a_file_that_is_damaged_while_it_is_open_is_replaced_and_what_comes_next_is_kept(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n) for n in range(300)])
    # Everything in the file itself, nothing in the log beside it; then another process destroys the tables.
    other = sqlite3.connect(tmp_path / "outbox.sqlite", isolation_level=None)
    other.execute("DROP TABLE events")
    other.close()
    outbox.put([text(1000)])
    assert [body["type"].split(".")[-2] for body in bodies(outbox)] == ["gap", "text"]
    outbox.close()


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may write what is read-only (tests.chaos takes that right away); run the tests as a user"
)
def test_what_is_in_a_read_only_file_is_kept_and_it_can_be_written_again(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    outbox.close()
    (tmp_path / "outbox.sqlite").chmod(0o400)
    outbox = open_outbox(tmp_path)
    outbox.put([text(2)])
    assert [body["sequence"] for body in bodies(outbox)] == [1, 2]
    assert not (tmp_path / "outbox.sqlite.damaged").exists()
    outbox.close()


def test_two_processes_cannot_share_one_outbox(tmp_path):
    outbox = open_outbox(tmp_path)
    with pytest.raises(StoreError, match="in use by another undertone"):
        open_outbox(tmp_path)
    outbox.close()
    open_outbox(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file.*something else has that name"):
        Outbox(tmp_path / "file" / "outbox.sqlite", max_bytes=1, site="s", device="d")


def flip(path, before, after):
    content = path.read_bytes()
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))


def test_a_bit_that_flips_inside_an_event_costs_that_event_alone_and_a_gap_says_which(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2), text(3), alert()])
    outbox.close()
    flip(tmp_path / "outbox.sqlite", b'"n":2', b'"n":3')
    outbox = open_outbox(tmp_path)
    told = take(outbox) + take(outbox)
    assert [body["id"] for body in told] == ["c1:alert:0", "c1:text:line-1:1", "c1:text:line-1:3", "gap:text/line-1:2-2"]
    assert told[-1]["data"] == {"topic": "text/line-1", "first": 2, "last": 2, "lost": 1, "reason": "damaged"}
    assert outbox.counts().rows == 0
    assert not (tmp_path / "outbox.sqlite.damaged").exists()
    outbox.close()


def test_where_nobody_can_say_which_event_was_damaged_the_whole_file_is_set_aside(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    outbox.close()
    path = tmp_path / "outbox.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("UPDATE events SET sequence = 5")
    other.close()
    outbox = open_outbox(tmp_path)
    assert outbox.pending(5) == []
    assert [body["data"]["reason"] for body in bodies(outbox)] == ["store_damaged"]
    outbox.close()


def test_a_damaged_gap_sets_the_file_aside_because_nobody_knows_what_it_announced(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2)])
    outbox.erase(None)
    outbox.close()
    flip(tmp_path / "outbox.sqlite", b'"first":1', b'"first":2')
    outbox = open_outbox(tmp_path)
    assert outbox.pending(5) == []
    assert [body["data"]["reason"] for body in bodies(outbox)] == ["store_damaged"]
    outbox.close()


@pytest.mark.parametrize("change", ["wall = 'x'", "uptime = x'00'", "lane = 7", "lifetime = 'x'", "body = 7"])
def test_a_column_of_an_event_that_damage_turned_into_something_else_costs_that_event_alone(tmp_path, change):
    # Some were found by fuzzing: SQLite gives back whatever type it finds in a damaged file.
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2)])
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.sqlite") as other:
        other.execute(f"UPDATE events SET {change} WHERE row = 1")
    other.close()
    outbox = open_outbox(tmp_path)
    told = take(outbox) + take(outbox)
    assert [body["id"] for body in told] == ["c1:text:line-1:2", "gap:text/line-1:1-1"]
    assert outbox.counts().rows == 0
    outbox.close()


def test_an_event_whose_body_damage_took_away_is_no_bar_to_making_room(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1)])
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.sqlite") as other:
        other.executescript("PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'body BLOB NOT NULL', 'body BLOB')")
    other.close()
    with sqlite3.connect(tmp_path / "outbox.sqlite") as other:
        other.execute("UPDATE events SET body = NULL")
    other.close()
    outbox = open_outbox(tmp_path, max_bytes=5_000)
    outbox.put([text(n) for n in range(2, 20)])
    told = {body["id"] for body in take(outbox)}
    assert "c1:text:line-1:19" in told
    assert any(id_.startswith("gap:text/line-1:1-") for id_ in told)
    outbox.close()


def test_an_outbox_of_the_first_layout_goes_on_with_what_is_in_it(tmp_path):
    with sqlite3.connect(tmp_path / "outbox.sqlite") as old:
        old.executescript(MIGRATIONS[0] + "; PRAGMA user_version = 1")
        body = b'{"id":"a","sequence":1}'
        crc = zlib.crc32(body, zlib.crc32(b"a text/line-1 1"))
        old.execute("INSERT INTO events VALUES (1, 'a', 'text/line-1', 1, 1, 1, 0.0, 0.0, NULL, ?, ?)", (body, crc))
        old.execute("INSERT INTO sequences VALUES ('text/line-1', 1)")
    old.close()
    outbox = open_outbox(tmp_path)
    outbox.put([text(2)])
    assert [body["sequence"] for body in take(outbox)] == [1, 2]
    outbox.close()
