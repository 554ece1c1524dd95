"""Two callers on one line, one after the other: nothing that is said of one is ever told of the other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.wire.codes import ReplyReason
from edge.wire.events import Alert, Summary
from tests.unit.call.told_line import END, FIELDS, Heard, a_line, context, start

# Of A, then of B: start, complaint, end, and a pause.
STEPS = ("pause", "start A", "angry", "end", "pause", "start B", "angry", "end", "pause")
# Whose turn it is before each step: who is on the line, or next.
TURN = "AAAABBBB-"
OPEN = (2, 3, 6, 7)
# Who a context is about, what it says, how it names the call, and before which step it comes.
SAID = st.tuples(
    st.sampled_from("AB"),
    st.sets(st.sampled_from(FIELDS[1:]), min_size=1),
    st.sampled_from(["pbx", "call", "none"]),
    st.integers(0, len(STEPS) - 1),
)


def facts(caller: str, names) -> dict[str, str]:
    return {name: f"{caller}:{name}" for name in names}


class TwoCallers:
    """A and B call on one line, one after the other. `named`: the switchboard starts the calls and says which of its own they are."""

    def __init__(self, *, named: bool) -> None:
        self.heard, self.named = Heard(a_line()), named
        self.calls: dict[str, str] = {}
        self.said: dict[str, dict[str, str]] = {"A": {}, "B": {}}

    def step(self, what: str) -> None:
        match what.split():
            case ["start", caller]:
                self.calls[caller] = self.heard.say(start(**facts(caller, ["pbx_call_id"] if self.named else []))).call
            case ["end"]:
                self.heard.say(END)
            case ["angry"]:
                self.heard.angry()

    def say(self, caller: str, names: set[str], how: str, number: int) -> None:
        told = facts(caller, names)
        if how == "call" and caller in self.calls:
            told |= {"call": self.calls[caller]}
        elif how == "pbx" and self.named:
            told |= facts(caller, ["pbx_call_id"])
        elif TURN[number] != caller:
            self._say_without_a_name(told, number)
            return
        if self.heard.say(context(**told)).accepted:
            self.said[caller] |= {name: value for name, value in told.items() if name in FIELDS}

    def _say_without_a_name(self, told: dict[str, str], number: int) -> None:
        """Of the other caller, and no name: it must be refused where the customer on the line is known. Else nobody could know."""
        known = self.said.get(TURN[number], {})
        if number in OPEN and "customer_ref" in told and "customer_ref" in known:
            assert self.heard.say(context(**told)).reason is ReplyReason.OTHER_CUSTOMER

    def owner(self, call: str) -> str:
        return next(caller for caller, its in self.calls.items() if its == call)


@pytest.mark.takes(3)
@settings(max_examples=150, deadline=None)
@given(said=st.lists(SAID, max_size=8), named=st.booleans())
def test_nothing_said_of_one_caller_is_ever_told_of_the_other_in_whatever_order_and_whenever_it_comes(said, named):
    two = TwoCallers(named=named)
    for number, step in enumerate(STEPS):
        for what in (one for one in said if one[3] == number):
            two.say(*what)
        two.step(step)
    assert len({one.call for one in two.heard.of(Alert)}) == 2
    for event in two.heard.events:
        caller = two.owner(event.data.call)
        told = {name: value for name in FIELDS if (value := getattr(event.data, name, None)) is not None}
        assert [name for name, value in told.items() if not value.startswith(caller)] == [], event
    for summary in two.heard.of(Summary):
        told = {name: value for name in FIELDS if (value := getattr(summary, name)) is not None}
        assert told.items() <= (two.said[two.owner(summary.call)] | facts(two.owner(summary.call), ["pbx_call_id"])).items()
