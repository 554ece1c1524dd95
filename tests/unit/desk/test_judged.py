"""Whether an alert was justified is said by the outcome: the form and Impact say which outcomes say what."""

import re

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.vocabulary import Outcome
from desk.cases.wishes import wish
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client

SAYS = {
    "the alert was justified": ["resolved", "promised", "compensated", "passed_on", "could_not_resolve"],
    "it was not justified": ["false_alarm"],
    "says nothing of the alert": ["unreachable", "duplicate"],
}


@pytest.fixture
def store(store):
    box = ScriptedBox()
    store.tell(box, *box.call())
    return store


@pytest.mark.parametrize("address", ["/case/1", "/"])
def test_the_outcome_is_chosen_among_those_that_say_the_same(store, address):
    page = Client(store).get(address).text
    groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page)
    assert {says: re.findall(r'value="(\w+)"', inside) for says, inside in groups} == SAYS


def test_impact_says_which_outcomes_count(store):
    told = re.search(r'id="judged">(.*?)</p>', Client(store).get("/impact").text)[1]
    for says, ones in SAYS.items():
        assert f"{', '.join(one.replace('_', ' ') for one in ones)}: {says}" in told


@pytest.mark.parametrize("outcome", Outcome)
def test_what_the_form_says_is_what_is_stored(store, outcome):
    row = act(store.database, 1, wish("close", {"outcome": outcome.value, "note": "why"}), Actor(name="ann", role="operator"))
    says = next(says for says, ones in SAYS.items() if outcome.value in ones)
    assert row["justified"] == {"the alert was justified": 1, "it was not justified": 0, "says nothing of the alert": None}[says]
