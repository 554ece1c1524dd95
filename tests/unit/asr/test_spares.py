"""Recognisers that are ready before a call needs one: how many there are, and who has them."""

import threading

from edge.asr.spares import Spares
from tests.telling import until


class Thing:
    warmed = False


def ready(spares: Spares) -> int:
    return len(spares._free)


def test_nothing_is_kept_before_it_is_asked_for():
    spares = Spares(Thing)
    one = spares.take()
    assert not spares.give_back(one, worn=False)
    assert spares.take() is not one


def test_as_many_are_ready_as_are_not_taken_and_what_comes_back_is_the_next_one():
    spares: Spares[Thing] = Spares(Thing)
    taken = [spares.take(), spares.take()]

    def warm(thing: Thing) -> None:
        thing.warmed = True

    spares.fill(5, warm)
    until(lambda: ready(spares) == 3)
    assert all(spares.take().warmed for _ in range(1))
    assert spares.give_back(taken[0], worn=False)
    assert spares.take() is taken[0]
    assert not spares.give_back(taken[1], worn=True)


def test_who_is_lost_in_a_failure_is_replaced():
    spares: Spares[Thing] = Spares(Thing)
    lost = spares.take()
    spares.fill(1, lambda _thing: None)
    assert ready(spares) == 0
    del lost
    spares.fill(1, lambda _thing: None)
    until(lambda: ready(spares) == 1)


def test_one_thread_warms_at_a_time_and_a_warm_up_that_fails_takes_nobody_down():
    spares: Spares[Thing] = Spares(Thing)
    going, goes_on, begun = threading.Event(), threading.Event(), []

    def warm(thing: Thing) -> None:
        begun.append(thing)
        going.set()
        goes_on.wait(30)
        raise RuntimeError("no model")

    for _ in range(3):
        spares.fill(2, warm)
    assert going.wait(30)
    goes_on.set()
    until(lambda: spares._filling is None)
    assert len(begun) == 1
    assert ready(spares) == 0
