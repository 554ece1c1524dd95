"""An empty queue is no proof of calm: the Queue says how many boxes are not well, and whether the desk itself hears."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from desk.ingest.standing import Standing
from desk.web import boxes
from edge.clock import rfc3339
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client


@pytest.fixture(autouse=True)
def ingests(monkeypatch):
    """What takes in events: one that does, unless a case says otherwise."""
    found = [standing()]
    monkeypatch.setattr(boxes.Desk, "standings", lambda _: found)
    return found


def standing(trouble=None):
    return Standing(name="desk", connected=trouble is None, trouble=trouble, lag_s=0.0, counts={})


def heard(store, *states):
    """A box for each of `states`; what it last told."""
    for number, state in enumerate(states):
        box = ScriptedBox("leeds", f"desk-{number}")
        if state == "hour off":
            store.tell(box, box.state("online"), box.health(time=datetime.now(UTC) - timedelta(hours=1)))
        elif state == "silent":
            store.tell(box, box.state("online"))
            with store.database.write() as tx:
                past = rfc3339(datetime.now(UTC) - timedelta(minutes=3))
                tx._connection.execute(f"UPDATE status SET received_at = '{past}' WHERE source = '{box.source}'")
        else:
            store.tell(box, box.state(state), box.health())


def said(store, address="/queue/rows"):
    page = Client(store).get(address).text
    found = re.search(r'<p class="mark late">(.*?) <a id="to-boxes" href="/boxes">Boxes</a></p>', page)
    return found[1] if found else None


@pytest.mark.parametrize(("states", "says"), [
    (["online", "online"], None),
    (["online", "degraded"], "1 of 2 boxes is not well, so calls may be missing here."),
    (["lost", "stopped", "online"], "2 of 3 boxes are not well, so calls may be missing here."),
    (["silent"], "1 of 1 box is not well, so calls may be missing here."),
    (["hour off"], "1 of 1 box is not well, so calls may be missing here."),
    ([], "No box has been heard of yet."),
])  # fmt: skip
def test_the_queue_says_how_many_boxes_are_not_well(store, states, says):
    heard(store, *states)
    assert said(store) == said(store, "/") == says


def test_it_says_so_beside_cases_too(store):
    heard(store, "degraded")
    box = ScriptedBox()
    store.tell(box, box.state("online"), *box.call())
    page = Client(store).get("/").text
    assert "Case 1" in page
    assert said(store) == "1 of 2 boxes is not well, so calls may be missing here."


@pytest.mark.parametrize(("told", "says"), [
    ([], "nothing takes in events"),
    (["connection lost: Keep alive timeout"], "connection lost: Keep alive timeout"),
    ([None, "not heard of for 25 s"], "not heard of for 25 s"),
])  # fmt: skip
def test_a_desk_that_does_not_hear_says_that_first(store, ingests, told, says):
    heard(store, "lost")
    ingests[:] = map(standing, told)
    assert said(store) == f"The desk itself does not hear all: {says}."


def test_a_clock_that_is_an_hour_off_is_told_by_how_much_and_which_way(store):
    heard(store, "hour off")
    assert re.search(r"its clock is 36\d\d s behind", Client(store).get("/boxes").text)


def test_a_look_at_the_queue_reads_one_row_a_box_whatever_boxes_have_told(store, monkeypatch):
    heard(store, "online", "degraded", "online")
    box, read = ScriptedBox(), []
    store.tell(box, *box.call(), box.event("device.info", "info", "i1", {"undertone": "1"}), box.event("device.alerts", "alerts", "a1", {}))
    with store.database.read() as tx:
        everything = type(tx).all
    monkeypatch.setattr(type(tx), "all", lambda tx, name, **values: read.append((name, found := everything(tx, name, **values))) or found)
    boxes.unwell(boxes.Desk.of(store.config, store.database, None))
    assert max(len(rows) for _, rows in read) <= 4
    assert "body" not in {column for _, rows in read for row in rows for column in row}
