"""Wrong passwords: so many at once and then slowly, over all processes on one database."""

import threading

import pytest

from desk.people.attempts import Attempts
from tests.unit.desk.store import Store

ANN, HERE = "name:ann", "host:h"


class Clock:
    """The wall clock of every process."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def processes(make):
    """Two processes on one database, and their clock."""
    one, clock = Store(make()), Clock()
    other = one.again()
    yield Attempts(one.database, clock), Attempts(other.database, clock), clock
    for store in (one, other):
        store.database.close()


def test_passwords_are_tried_in_bursts_and_then_slowly_whichever_process_is_asked(processes):
    one, other, clock = processes
    assert [(one, other)[number % 2].take(ANN, HERE) for number in range(10)] == [0] * 10
    for process in (one, other):
        assert process.take("name:ben", HERE) == process.take(ANN, "host:elsewhere") == 30
        assert process.take("name:ben", "host:elsewhere") == 0
    clock.now += 31
    assert [one.take(ANN, HERE), other.take(ANN, HERE) > 0] == [0, True]


def test_what_is_refused_costs_nothing_more(processes):
    one, other, clock = processes
    for _ in range(50):
        one.take(ANN, HERE)
    clock.now += 30
    assert other.take(ANN, HERE) == 0


def test_many_at_one_moment_get_no_more_than_one_after_the_other(processes):
    *both, _ = processes
    got = []
    threads = [threading.Thread(target=lambda one=both[n % 2]: got.append(one.take(ANN, HERE))) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (got.count(0), len(got)) == (10, 30)


def test_the_right_password_forgives_the_name_everywhere_and_the_address_only_itself(processes):
    one, other, _ = processes
    for _ in range(9):
        one.take(ANN, HERE)
    assert one.take(ANN, HERE) == 0
    one.forgive(ANN, HERE, name=ANN)
    assert other.take(ANN, "host:elsewhere") == 0
    assert [other.take("name:ben", HERE), other.take("name:ben", HERE)] == [0, 30]


def test_a_clock_that_is_behind_neither_forgives_nor_locks_out(processes):
    one, other, clock = processes
    for _ in range(5):
        one.take(ANN, HERE)
    clock.now -= 3600
    assert [other.take(ANN, HERE) for _ in range(6)] == [0, 0, 0, 0, 0, 30]


def test_buckets_that_have_drained_are_forgotten_and_nobody_is_named(make):
    store, clock = Store(make()), Clock()
    attempts = Attempts(store.database, clock)
    attempts.take(ANN, HERE)
    assert "ann" not in repr(store.table("attempts"))
    clock.now += 299
    attempts.prune()
    assert len(store.table("attempts")) == 2
    clock.now += 2
    attempts.prune()
    assert store.table("attempts") == []
    store.database.close()
