"""Percentiles of how long something took."""

from edge.bus.spread import Spread


def test_percentiles_are_of_the_last_thousand_times_and_none_before_the_first():
    spread = Spread()
    assert spread.data() is None
    for ms in range(5000):
        spread.add(ms / 1000)
    found = spread.data()
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (4500.0, 4950.0, 4990.0)


def test_a_single_time_is_all_three():
    spread = Spread()
    spread.add(0.25)
    assert (spread.data().p50_ms, spread.data().p99_ms) == (250.0, 250.0)
