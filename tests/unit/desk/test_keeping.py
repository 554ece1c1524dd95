"""Retention, webhooks, backup, schema: what a desk keeps, and for whom."""

import hashlib
import hmac
import json
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.config import KeepConfig, WebhookConfig
from desk.ingest.keeping import forget
from desk.ingest.rebuild import rebuild
from desk.notify.webhook import collect, deliver
from desk.store.seam import migrations, statements
from desk.store.sqlite import translated
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

ANN = Actor(name="ann", role="operator")


@pytest.fixture
def store(make):
    store = Store(make())
    box = ScriptedBox()
    for _ in range(3):
        store.tell(box, *box.call(customer_ref="K-1"))
    act(store.database, 1, wish("close", {"outcome": "resolved", "action": "sent flowers", "note": "very sorry"}), ANN)
    yield store
    store.database.close()


@pytest.mark.parametrize(
    ("keep", "gone"),
    [
        (KeepConfig(), {"events": 0, "cases": 0, "texts": 0}),
        (KeepConfig(events_days=30), {"events": 21, "cases": 0, "texts": 0}),
        (KeepConfig(cases_days=30), {"events": 0, "cases": 1, "texts": 0}),
        (KeepConfig(text_days=30), {"events": 0, "cases": 0, "texts": 4}),
        (KeepConfig(events_days=30, cases_days=30, text_days=30), {"events": 21, "cases": 1, "texts": 2}),
    ],
)
def test_what_has_outlived_its_time_goes_and_the_rest_rebuilds_to_the_same(store, keep, gone):
    assert forget(store.database, keep, datetime.now(UTC) + timedelta(days=29)) == {"events": 0, "cases": 0, "texts": 0}
    assert forget(store.database, keep, datetime.now(UTC) + timedelta(days=31)) == gone
    assert forget(store.database, keep, datetime.now(UTC) + timedelta(days=31)) == {"events": 0, "cases": 0, "texts": 0}
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before
    if keep.text_days:
        text = repr([store.table(name) for name in ("events", "actions", "cases")])
        assert "flowers" not in text
        assert "sorry" not in text
        assert "charged me twice" not in text


def test_a_number_is_never_given_twice(store):
    act(store.database, 3, wish("close", {"outcome": "duplicate"}), ANN)
    forget(store.database, KeepConfig(cases_days=1), datetime.now(UTC) + timedelta(days=2))
    box = ScriptedBox("york")
    store.tell(box, *box.call())
    assert sorted(dict(row)["id"] for row in store.table("cases")) == [2, 4]


@pytest.mark.takes(1)
def test_every_action_is_delivered_signed_and_again_where_it_failed(store, tmp_path):
    (tmp_path / "key").write_text("s3cret\n")
    config = WebhookConfig(url="http://127.0.0.1:1/", secret_file=str(tmp_path / "key"))
    posted, away = [], {"now": True}

    def post(_url, body, headers):
        if away["now"]:
            raise ConnectionRefusedError("nobody there")
        posted.append((body, headers))

    actions = len(store.table("actions"))
    assert collect(store.database) == actions
    assert collect(store.database) == 0
    assert deliver(store.database, config, post) == 0
    with store.database.read() as tx:
        assert tx.one("deliveries_waiting")["n"] == actions
    away["now"] = False
    end = time.monotonic() + 10
    while len(posted) < actions:
        deliver(store.database, config, post)
        assert time.monotonic() < end
    for body, headers in posted:
        expected = hmac.new(b"s3cret", headers["Undertone-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
        assert headers["Undertone-Signature"] == f"v1={expected}"
    assert len({headers["Undertone-Id"] for _, headers in posted}) == actions
    assert sorted(json.loads(body)["kind"] for body, _ in posted) == ["close", "linked", "linked", *["opened"] * 3, *["promise"] * 3]


def test_a_backup_is_whole_while_others_write(store, tmp_path):
    with store.database.write() as tx:
        tx.run("meta_set", key="half", value="written")
        store.database.backup(str(tmp_path / "copy.db"))
    copy = Store(tmp_path / "copy.db")
    assert copy.projections() == store.projections()
    with copy.database.read() as tx:
        assert tx.one("meta_get", key="half") is None
    copy.database.close()


def test_readers_see_one_state_and_never_wait_for_a_writer(store):
    with store.database.write() as tx:
        tx.run("meta_set", key="a", value="1")
        with store.database.read() as other:
            assert other.one("meta_get", key="a") is None


def test_read_then_write_is_never_locked_out(store):
    """Two processes that read and then write, at once: BEGIN IMMEDIATE waits, where a plain BEGIN would fail."""
    from concurrent.futures import ThreadPoolExecutor

    other = store.again()

    def add(database):
        for _ in range(100):
            with database.write() as tx:
                row = tx.one("meta_get", key="n")
                tx.run("meta_set", key="n", value=str(int(row["value"] if row else 0) + 1))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, [store.database, other.database]))
    with store.database.read() as tx:
        assert tx.one("meta_get", key="n")["value"] == "200"
    other.database.close()


def test_every_earlier_schema_moves_forward(tmp_path):
    numbers = [number for number, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    for number in numbers[:-1]:
        path = tmp_path / f"{number}.db"
        old = sqlite3.connect(path)
        old.execute("CREATE TABLE schema_version (number INTEGER PRIMARY KEY, at TEXT NOT NULL)")
        for step, text in migrations()[:number]:
            old.executescript(text.replace("{{serial}}", "INTEGER PRIMARY KEY AUTOINCREMENT"))
            old.execute("INSERT INTO schema_version VALUES (?, 'then')", (step,))
        old.commit()
        old.close()
        store = Store(path)
        box = ScriptedBox()
        store.tell(box, *box.call())
        assert store.case()["state"] == "open"
        store.database.close()


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """A database of today's schema that nothing is written to."""
    database = Store(tmp_path_factory.mktemp("schema") / "desk.db").database
    yield database
    database.close()


@pytest.mark.parametrize("name", sorted(statements()))
def test_every_statement_is_one_that_sqlite_understands(schema, name):
    if name in {"cases_where", "cases_columns"}:
        pytest.skip("a part of others")
    text = translated(name)
    values = dict.fromkeys(re.findall(r"(?<!:):([a-z_]+)", text), None)
    schema._writer.execute(f"EXPLAIN {text}", values)
