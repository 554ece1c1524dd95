"""Percentiles of how long something took."""

from edge.percentiles import Durations


def test_percentiles_are_of_the_last_thousand_times_and_none_before_the_first():
    spread = Durations()
    assert spread.spread() is None
    for ms in range(5000):
        spread.add(ms / 1000)
    found = spread.spread()
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (4500.0, 4950.0, 4990.0)


def test_a_single_time_is_all_three():
    spread = Durations()
    spread.add(0.25)
    assert (spread.spread().p50_ms, spread.spread().p99_ms) == (250.0, 250.0)
