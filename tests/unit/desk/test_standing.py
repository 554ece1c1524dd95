"""A process that takes in events and dies without a word is told of until it is back, followed or taken out."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from desk.config import DeskConfig
from desk.ingest.standing import Ingest, standings, take_out
from desk.web.maintenance import Maintenance
from edge.clock import rfc3339


def ingest(name, *topics, connected=True):
    link = SimpleNamespace(connected=connected, trouble=None, lag_s=0.0)
    return Ingest(name=name, link=link, writer=SimpleNamespace(counts={"stored": 3}), topics=topics)


def died(store, one, ago=timedelta(days=3)):
    """It told of itself so long ago, and no more."""
    one.tell(store.database)
    with store.database.write() as tx:
        tx._connection.execute(f"UPDATE ingests SET at = '{rfc3339(datetime.now(UTC) - ago)}' WHERE name = '{one.name}'")


def told(store):
    return {one.name: one.connected for one in standings(store.database, None)}


def test_it_stays_not_connected_for_days_whatever_else_is_pruned(store):
    died(store, ingest("york", "york/#"))
    ingest("leeds", "leeds/#").tell(store.database)
    Maintenance(DeskConfig(), store.database, None).prune()
    assert told(store) == {"leeds": True, "york": False}
    (york,) = [one for one in standings(store.database, None) if one.name == "york"]
    assert york.silent
    assert york.trouble.startswith("not heard of for 2592")
    assert (york.topics, york.counts) == (["york/#"], {"stored": 3})


@pytest.mark.parametrize(
    ("topics", "follows"),
    [(["york/#"], True), (["york/#", "leeds/#"], True), ([], True), (["leeds/#"], False), (["york/desk-1/#"], False)],
)
def test_another_that_takes_in_all_its_topics_follows_it(store, topics, follows):
    died(store, ingest("york", "york/#"))
    ingest("new", *topics, connected=False).tell(store.database)
    assert told(store) == {"new": False, "york": False}
    ingest("new", *topics).tell(store.database)
    assert told(store) == ({"new": True} if follows else {"new": True, "york": False})


def test_one_that_took_in_everything_is_followed_only_by_one_that_does(store):
    died(store, ingest("all"))
    ingest("york", "york/#").tell(store.database)
    assert set(told(store)) == {"all", "york"}
    ingest("new").tell(store.database)
    assert set(told(store)) == {"new", "york"}


def test_one_that_lives_is_never_followed(store):
    ingest("york", "york/#").tell(store.database)
    ingest("new").tell(store.database)
    assert told(store) == {"york": True, "new": True}


def test_it_is_back_or_taken_out_by_hand(store):
    died(store, ingest("york", "york/#"))
    ingest("york", "york/#").tell(store.database)
    assert told(store) == {"york": True}
    assert take_out(store.database, "york")
    assert not take_out(store.database, "york")
    assert told(store) == {}
