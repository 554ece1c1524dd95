"""A desk of an earlier version, with what it has heard and done, opened by this one: nothing is lost, and work goes on."""

import json
import random
import re

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.ingest.rebuild import rebuild
from desk.people.accounts import add_token, by_token
from desk.store import opening
from desk.store.seam import migrations
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

ANN, BEN = Actor(name="ann", role="lead"), Actor(name="ben", role="operator")
_MADE = re.compile(r"CREATE TABLE (\w+) \((.*?)\n\);", re.DOTALL)


def lived(where):
    """A desk of today with something in every table that the first version had, and in most of the later ones; the token of a program."""
    store, box = Store(where), ScriptedBox()
    for seed, customer in enumerate(("K-1", "K-2", "K-1")):
        store.tell(box, *box.call(random.Random(seed), customer_ref=customer, callback="+441134960001"))
    store.tell(box, box.state("online"), box.health(), box.gap("call/line-1/metrics", 1, 4))
    store.people("ann", "ben")
    for case, verb, asked in (
        (1, "claim", {}), (1, "attempt", {"result": "no_answer"}), (1, "note", {"note": "angry, \u00e9"}),
        (1, "close", {"outcome": "resolved", "action": "refund"}), (2, "assign", {"to": "ben"}),
    ):  # fmt: skip
        act(store.database, case, wish(verb, asked), ANN)
    return store, add_token(store.database, "program", "operator")


def of_version(number, where, store, monkeypatch):
    """The rows of `store` in a database at `where` as version `number` of the schema had them; its tables with their columns."""
    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrate", lambda _: None)
        old = opening.open_database(where)
    with old.write() as tx:
        tx.script("CREATE TABLE schema_version (number INTEGER PRIMARY KEY, at TEXT NOT NULL);")
        for step, text in migrations()[:number]:
            tx.script(text)
            tx.run("schema_set", number=step)
        tables = {}
        for table, body in _MADE.findall("".join(text for _, text in migrations()[:number])):
            found = [column[0] for column in tx._connection.execute(f"SELECT * FROM {table}").description]
            # What the database numbers itself it numbers again, in the same order.
            tables[table] = [column for column in found if f"  {column} {{{{serial}}}}" not in body]
        for table, columns in tables.items():
            rows = [dict(row) for row in store.table(table)]
            rows.sort(key=lambda row: row.get("seq", 0))
            places = [f":{column}" if old.name == "sqlite" else f"%({column})s" for column in columns]
            for row in rows:
                text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(places)})"
                tx._connection.execute(text, {column: row[column] for column in columns})
    old.close()
    return tables


def read(store, tables):
    """The rows of `tables`, as far as their version had columns for them."""
    return {
        name: [tuple((key, value) for key, value in row if key in columns) for row in store.table(name)] for name, columns in tables.items()
    }


@pytest.mark.parametrize("number", [number for number, _ in migrations()][:-1])
def test_a_database_of_any_earlier_version_keeps_all_that_is_in_it(make, monkeypatch, number):
    today, token = lived(make())
    where = make()
    tables = of_version(number, where, today, monkeypatch)
    assert {"events", "actions", "cases", "users", "tokens", "audit", "spans"} <= {name for name in tables if today.table(name)}
    store = Store(where)
    assert read(store, tables) == read(today, tables)
    with store.database.read() as tx:
        assert all(tx.one("schema_has", number=step) for step, _ in migrations())
    # What a later version has beside it is filled from the events.
    rebuild(store.database, ())
    assert store.projections() == today.projections()
    assert by_token(store.database, token).name == "program"
    assert act(store.database, 2, wish("close", {"outcome": "duplicate"}), BEN)["state"] == "closed"
    store.tell(box := ScriptedBox("york"), *box.call(customer_ref="K-2"))
    assert (store.case(4)["linked_case"], json.loads(store.case(4)["reasons"])[0]["says"]) == (2, "complains about a bill")
    for one in (store, today):
        one.database.close()
