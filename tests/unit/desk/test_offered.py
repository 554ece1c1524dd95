"""What a page offers: what is possible from a case's state, for who looks at it, and nothing that would be refused."""

import re

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor, Conflict, NotAllowed
from desk.cases.wishes import wish
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client

ASKED = {
    "claim": {}, "take_over": {"take_over": "1"}, "release": {}, "assign": {"to": "ben"}, "attempt": {"result": "busy"},
    "note": {"note": "x"}, "snooze": {"until": "2031-01-01T00:00:00Z"}, "close": {"outcome": "resolved"}, "reopen": {},
}  # fmt: skip
# How a case comes to be so: who does what. "me" is who looks at it then.
WAYS = {
    "open": [],
    "claimed by me": [("me", "claim")],
    "claimed by another": [("other", "claim")],
    "contacted by me": [("me", "reached")],
    "contacted by another": [("other", "reached")],
    "contacted, then let go": [("other", "reached"), ("other", "release")],
    "closed by me": [("me", "close")],
    "closed by another": [("other", "claim"), ("other", "close")],
    "reopened": [("other", "close"), ("me", "reopen")],
}
NOBODYS = {"claim", "attempt", "note", "close", "snooze", "assign"}
MINE = {"release", "attempt", "note", "close", "snooze", "assign"}
OFFERED = {
    "operator": {
        "open": NOBODYS, "claimed by me": MINE, "claimed by another": {"take_over", "note"}, "contacted by me": MINE,
        "contacted by another": {"take_over", "note"}, "contacted, then let go": NOBODYS, "closed by me": {"reopen", "note"},
        "closed by another": {"reopen", "note"}, "reopened": NOBODYS,
    },
    "lead": {
        "open": NOBODYS, "claimed by me": MINE, "claimed by another": {"take_over", "note", "release", "assign"}, "contacted by me": MINE,
        "contacted by another": {"take_over", "note", "release", "assign"}, "contacted, then let go": NOBODYS,
        "closed by me": {"reopen", "note"}, "closed by another": {"reopen", "note"}, "reopened": NOBODYS,
    },
    "analyst": {way: set() for way in WAYS},
}  # fmt: skip


def bring(store, way, role, number=1):
    """A new case, brought to where `way` leads."""
    box = ScriptedBox()
    store.tell(box, *box.call())
    people = {"me": Actor(name="me", role="lead" if role == "analyst" else role), "other": Actor(name="other", role="operator")}
    for who, verb in WAYS[way]:
        asked = {"result": "reached"} if verb == "reached" else ASKED[verb]
        act(store.database, number, wish("attempt" if verb == "reached" else verb, asked), people[who])


def offered(page):
    """The verbs of the forms that a page shows of case 1."""
    forms = re.findall(r'<form method="post" action="/case/1/(\w+)"([^>]*)>(.*?)</form>', page, re.DOTALL)
    return {"take_over" if 'name="take_over"' in inside else verb for verb, how, inside in forms if " hidden" not in how}


@pytest.mark.parametrize("role", OFFERED)
@pytest.mark.parametrize("way", WAYS)
def test_a_case_offers_what_can_be_done_with_it_as_it_is_by_who_looks(store, way, role):
    bring(store, way, role)
    me = Client(store, "me", role)
    assert offered(me.get("/case/1").text) == OFFERED[role][way]
    row = offered(me.get("/queue/rows?state=all&who=all").text)
    assert row == OFFERED[role][way] & {"claim", "take_over", "release", "reopen"}


@pytest.mark.parametrize("role", ["operator", "lead"])
@pytest.mark.parametrize("way", WAYS)
def test_what_is_offered_is_done_and_what_is_not_is_refused(store, way, role):
    done = set()
    store.people("ben")
    for number, (verb, asked) in enumerate(ASKED.items(), start=1):
        bring(store, way, role, number)
        try:
            act(store.database, number, wish("claim" if verb == "take_over" else verb, asked), Actor(name="me", role=role))
        except (Conflict, NotAllowed):
            continue
        done.add(verb)
    # To take over what nobody has is to claim it.
    assert done - {"take_over"} == OFFERED[role][way] - {"take_over"}
    assert ("take_over" in done) == ("take_over" in OFFERED[role][way] or "claim" in OFFERED[role][way])


def test_who_may_only_look_marks_nothing(store):
    bring(store, "open", "operator")
    assert 'type="checkbox"' in Client(store, "me", "operator").get("/").text
    assert 'type="checkbox"' not in Client(store, "ana", "analyst").get("/").text
