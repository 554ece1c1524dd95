"""One zone, the site's, wherever a day or a time is shown, written or counted: also over a change of the clock."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest

from desk.config import DeskConfig
from edge.clock import rfc3339, uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client
from tests.unit.desk.store import Store

# London's clock goes forward on Sunday 29 March 2026. Case 1: Sunday 23:30 in UTC is Monday 00:30 there; case 2: a minute before
# Sunday begins; case 3: as the week before ends.
OPENED = ("2026-03-29T23:30:00.000Z", "2026-03-28T23:59:00.000Z", "2026-03-22T23:59:00.000Z")
# What a form's field of a date shows of a time.
DAY = {"2026-03-29T23:30:00Z": "2026-03-30", "2026-03-30T00:31": "2026-03-30"}
WEEKS = {"2026-03-30": 1, "2026-03-23": 1, "2026-03-16": 1}


@pytest.fixture
def store(make):
    store, box = Store(make(), DeskConfig(timezone="Europe/London")), ScriptedBox()
    for at in OPENED:
        name = uuid7()
        store.tell(box, box.started(name, at=datetime.fromisoformat(at)), box.alert(name, opened_at=at, updated_at=at))
    yield store
    store.database.close()


def cases(page):
    return sorted(int(one) for one in re.findall(r'<a href="/case/(\d+)"', page))


@pytest.mark.parametrize(("since", "until", "found"), [
    ("2026-03-29", "2026-03-30", []), ("2026-03-30", "2026-03-31", [1]), ("2026-03-28", "2026-03-29", [2]), ("", "2026-03-23", [3]),
    ("2026-03-23", "", [1, 2]), ("2026-03-29T23:30:00Z", "", [1]), ("2026-03-30T00:31", "", []),
])  # fmt: skip
def test_days_of_the_filter_are_the_sites_for_page_file_and_programs_alike(store, since, until, found):
    asked = f"since={since}&until={until}"
    page = Client(store).get(f"/history?{asked}").text
    assert cases(page) == found
    assert "times are Europe/London" in page
    # What the page offers as a file, and what a form brings back, is the same.
    file = re.search(r'/history\.csv\?([^"]*)', page)[1].replace("&amp;", "&")
    assert len(Client(store).get(f"/history.csv?{file}").text.splitlines()) == (1 + len(found) if found else 0)
    assert [one["id"] for one in Client(store).get(f"/api/cases?{asked}").json()["cases"]] == found
    assert len(Client(store).get(f"/api/calls?{asked}").json()["calls"]) == len(found)
    shown = dict(re.findall(r'type="date" name="(since|until)" value="([^"]*)"', page))
    assert shown == {"since": DAY.get(since, since), "until": until}


@pytest.mark.parametrize("address", ["/history?since=soon", "/api/cases?until=x", "/api/calls?since=2026-13-01", "/impact?from=x"])
def test_what_is_no_day_is_told(store, address):
    assert Client(store).get(address).status_code == 400


def test_impact_counts_days_and_weeks_in_the_zone_that_it_names(store):
    page = Client(store).get("/impact?from=2026-03-16&to=2026-03-31").text
    assert 'name="from" value="2026-03-16"' in page
    assert 'name="to" value="2026-03-31"' in page
    assert "the day at Until is not counted" in page
    # Until now, today is.
    assert "not counted" not in Client(store).get("/impact").text
    assert re.search(r"16 Mar 2026 00:00</time> to <time [^>]+>31 Mar 2026 00:00</time> · Europe/London:", page)
    found = Client(store).get("/api/impact?from=2026-03-16&to=2026-03-31").json()
    assert (found["from"], found["to"], found["timezone"]) == ("2026-03-16T00:00:00.000Z", "2026-03-30T23:00:00.000Z", "Europe/London")
    assert {one["week"]: one["alerts"] for one in found["weeks"]} == WEEKS
    rows = list(csv.DictReader(io.StringIO(Client(store).get("/impact.csv?from=2026-03-16&to=2026-03-31").text)))
    assert {row["week"]: int(row["alerts"]) for row in rows} == WEEKS
    assert {row["timezone"] for row in rows} == {"Europe/London"}


def test_the_period_begins_with_the_day_that_the_form_shows(store):
    page = Client(store).get("/impact").text
    shown = re.search(r'name="from" value="([^"]+)"', page)[1]
    assert datetime.fromisoformat(shown).strftime("%d %b %Y 00:00") in page
    assert rfc3339(datetime.now(UTC)) < Client(store).get("/api/impact").json()["to"]


def test_a_file_tells_each_time_with_its_own_offset(store):
    opened = [row["opened_at"] for row in csv.DictReader(io.StringIO(Client(store).get("/history.csv").text))]
    assert opened == ["2026-03-30 00:30:00+0100", "2026-03-28 23:59:00+0000", "2026-03-22 23:59:00+0000"]
