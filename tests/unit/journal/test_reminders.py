"""Standing trouble is said again, ever more seldom, and never without bound."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from edge.journal.reminders import Reminders


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_is_said_at_once_then_after_1_2_4_minutes_and_at_last_each_hour():
    clock = Clock()
    reminders = Reminders(clock)
    said = []
    for second in range(24 * 3600):
        clock.now = float(second)
        if reminders.due("the password is refused"):
            said.append(second)
    assert said[:7] == [0, 60, 180, 420, 900, 1860, 3780]
    assert {later - sooner for sooner, later in itertools.pairwise(said[6:])} == {3600}


def test_what_was_well_in_between_is_news():
    clock = Clock()
    reminders = Reminders(clock)
    assert (reminders.due("a"), reminders.due("a"), reminders.due("b")) == (True, False, True)
    reminders.over("a")
    assert (reminders.due("a"), reminders.due("b")) == (True, False)
    reminders.all_over()
    assert reminders.due("b")


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30)), max_size=400))
def test_troubles_that_take_turns_are_bounded_each(asked):
    clock = Clock()
    reminders = Reminders(clock)
    said = 0
    for what, later_s in asked:
        clock.now += later_s
        said += reminders.due(what)
    # Each of four kinds at once, and then once for each doubling of a minute within this while.
    assert said <= 4 * (1 + math.log2(1 + clock.now / 60))
