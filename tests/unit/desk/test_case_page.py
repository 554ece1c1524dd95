"""A case's page says whether the customer may be called now, links a view that can be kept, and no file leaves without a trace."""

import re

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.config import DeskConfig
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client
from tests.unit.desk.store import Store

ANN = Actor(name="ann", role="operator")


def made(make, calls=1, **config):
    store, box = Store(make(), DeskConfig(**config)), ScriptedBox()
    for _ in range(calls):
        store.tell(box, *box.call(customer_ref="K-1", callback="+441134960000"))
    return store


def call_back(store, case):
    return re.search(r"<dt>Call back</dt><dd>(.*?)</dd>", Client(store).get(f"/case/{case}").text)[1]


@pytest.mark.parametrize(("quiet", "says"), [
    (None, '<a id="phone" href="tel:+441134960000">+441134960000</a>'),
    ("21:00-08:00", "+441134960000 \N{EN DASH} quiet hours: not now"),
])  # fmt: skip
def test_the_number_is_a_link_but_in_quiet_hours(make, quiet, says, monkeypatch):
    monkeypatch.setattr("desk.cases.promise.Calendar.is_quiet", lambda self, _: self.quiet is not None)
    store = made(make, quiet_hours=quiet)
    assert call_back(store, 1) == says
    assert ("quiet hours: call nobody now" in Client(store).get("/").text) is (quiet is not None)
    store.database.close()


def test_who_does_not_want_to_be_called_is_no_link_on_any_case_of_theirs(make):
    store = made(make, calls=2)
    act(store.database, 1, wish("attempt", {"result": "do_not_contact"}), ANN)
    for case in (1, 2):
        assert "do not contact" in call_back(store, case)
        assert "tel:" not in call_back(store, case)
    assert "they said so in another case" in call_back(store, 2)
    store.database.close()


def test_earlier_calls_and_possible_duplicates_are_linked(make):
    store = made(make, calls=2)
    page = Client(store).get("/case/2").text
    assert '<a class="mark" href="/case/1">same customer as case 1</a>' in page
    assert re.search(r"Other calls of this customer.*?<a href=\"/case/1\">case 1</a>, open", page, re.DOTALL)
    store.database.close()


def test_a_view_is_its_address(make):
    store = made(make, calls=2)
    act(store.database, 1, wish("claim", {}), Actor(name="ben", role="operator"))
    page = Client(store).get("/?who=all&state=claimed&severity=high&site=leeds").text
    rows = re.search(r'data-rows="([^"]+)"', page)[1].replace("&amp;", "&")
    for found in (page, Client(store).get(rows).text):
        assert re.findall(r'<li id="row-(\d+)"', found) == ["1"]
    for name, value in (("who", "all"), ("state", "claimed"), ("severity", "high"), ("site", "leeds")):
        chosen = re.search(rf'<select name="{name}">.*?<option([^>]*) selected>([^<]*)', page)
        assert value in (chosen[2], re.sub(r'.*value="(\w+)".*', r"\1", chosen[1])), name
    store.database.close()


@pytest.mark.parametrize("address", ["/history.csv", "/impact.csv", "/api/cases?format=csv", "/api/calls?format=csv"])
def test_every_file_is_in_the_audit_with_who_took_it(make, address):
    store = made(make)
    assert Client(store, "ana", "analyst").get(address).status_code == 200
    [entry] = [dict(row) for row in store.table("audit") if dict(row)["what"] == "export"]
    assert entry["who"] == "ana"
    assert entry["detail"].removeprefix("/api/").startswith(address.removeprefix("/api/").removeprefix("/"))
    assert re.search(r": \d+ rows$", entry["detail"])
    store.database.close()
