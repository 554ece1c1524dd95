"""Figures of impact: published vectors, and years of which the truth is known."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from desk.impact.figures import Wanted, figures
from desk.impact.intervals import Stratum, mean_difference, newcombe, pooled, wilson
from desk.impact.landmark import Subject, landmark
from edge.clock import rfc3339
from tests import year as simulated
from tests.unit.desk.store import Store

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)]
)
def test_wilson_agrees_with_published_intervals(k, n, low, high):
    found = wilson(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "value", "low", "high"),
    [
        ((56, 70, 48, 80), 0.2000, 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.6000, 0.1705, 0.8090),
        ((0, 15, 0, 20), 0.0, -0.1612, 0.2039),
        ((18, 120, 30, 110), -0.1227, -0.2270, -0.0172),
    ],
)
def test_newcombe_agrees_with_published_intervals(counts, value, low, high):
    # 20 of 20 not: z^2 / (20 + z^2) is 0.16113, which the third row rounds away from 0.
    found = newcombe(*counts)
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-4)


def test_nothing_is_said_of_nobody():
    assert wilson(0, 0) is None
    assert newcombe(0, 0, 1, 2) is None
    assert pooled([Stratum(k1=1, n1=3, k2=0, n2=0)]) is None
    assert mean_difference([0.1], [0.2, 0.3]) is None


@pytest.mark.parametrize("n", [1, 7, 40])
def test_wilson_stays_inside_0_and_1_and_holds_its_share(n):
    for k in range(n + 1):
        found = wilson(k, n)
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_one_stratum_pooled_is_the_plain_difference():
    found = pooled([Stratum(k1=18, n1=120, k2=30, n2=110)])
    plain = newcombe(18, 120, 30, 110)
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.01)


def test_strata_that_differ_in_both_do_not_make_an_effect():
    # The grave are called more often, and come back more often, called or not.
    strata = [Stratum(k1=80, n1=100, k2=8, n2=10), Stratum(k1=1, n1=10, k2=10, n2=100)]
    assert pooled(strata).value == pytest.approx(0.0)
    assert newcombe(81, 110, 18, 110).low > 0.4


def year(chance: random.Random, *, effect: float) -> list[Subject]:
    return [caller.subject for caller in simulated.year(chance, effect=effect, start=NEW_YEAR)]


def read(subjects: list[Subject]):
    return landmark(subjects, minutes=30, days=30, now=NEW_YEAR + timedelta(days=365))


def naive(subjects: list[Subject]) -> float:
    """Contacted at any time against never."""
    groups = {True: [0, 0], False: [0, 0]}
    for one in subjects:
        groups[one.contacted_at is not None][0] += bool(one.later)
        groups[one.contacted_at is not None][1] += 1
    return groups[True][0] / groups[True][1] - groups[False][0] / groups[False][1]


@pytest.mark.takes(7)
def test_a_null_effect_is_called_null_in_95_of_100_years_though_the_naive_comparison_shows_50_points():
    called_null = 0
    for seed in range(200):
        callers = year(random.Random(seed), effect=0.0)
        assert naive(callers) < -0.5
        called_null += read(callers).says == "no difference shown"
    # 95 % of 200, within what 200 draws of it do (99.9 %: 180 to 199).
    assert 180 <= called_null <= 200


@pytest.mark.takes(1)
def test_a_true_effect_is_read_back():
    found = [read(year(random.Random(seed), effect=0.15)) for seed in range(50)]
    held = sum(one.within_strata.low <= -0.15 <= one.within_strata.high for one in found)
    assert held >= 43
    assert sum(one.says == "fewer came back after a call" for one in found) >= 48
    assert sum(one.within_strata.value for one in found) / 50 == pytest.approx(-0.15, abs=0.01)


def test_who_came_back_before_the_landmark_or_is_still_followed_is_left_out():
    def subject(day: int, contacted: int | None, *back: int) -> Subject:
        at = NEW_YEAR + timedelta(days=day)
        return Subject(
            stratum=("high",), at=at, contacted_at=None if contacted is None else at + timedelta(minutes=contacted),
            later=[(at + timedelta(minutes=one), -0.1) for one in back],
        )  # fmt: skip

    found = read([subject(1, 5), subject(1, 45, 20), subject(1, 45, 60), subject(1, None, 31, 90), subject(350, 5)])
    assert (found.k1, found.n1, found.k2, found.n2) == (0, 1, 2, 2)
    assert (found.repeated_before, found.still_followed) == (1, 1)
    assert found.says == "not enough data yet"


@pytest.mark.takes(1)
def test_the_figures_of_a_database_are_those_of_its_callers(make):
    callers = simulated.year(random.Random(5), effect=0.2, start=NEW_YEAR, cases=250)
    store, now = Store(make()), NEW_YEAR + timedelta(days=365)
    simulated.tell(store, callers)
    wanted = Wanted(since=rfc3339(NEW_YEAR), until=rfc3339(now), route=None, site=None, minutes=30, negative_below=-0.2)
    found = figures(store.database, wanted, now=now)
    expected = read([caller.subject for caller in callers])
    told = next(one for one in found["repeats"] if one["days"] == 30)
    groups = (told["contacted"]["k"], told["contacted"]["n"], told["not_contacted"]["k"], told["not_contacted"]["n"])
    assert groups == (expected.k1, expected.n1, expected.k2, expected.n2)
    assert told["within_strata"]["value"] == pytest.approx(expected.within_strata.value)
    assert (told["says"], told["still_followed"]) == (expected.says, 0)
    contacted = [caller for caller in callers if caller.contacted_at]
    justified = sum(not caller.false_alarm for caller in contacted)
    assert (found["justified"]["k"], found["justified"]["n"]) == (justified, len(contacted))
    soon = sum(caller.contacted_at - caller.at <= timedelta(minutes=30) for caller in contacted)
    assert (found["contacted_within"]["k"], found["contacted_within"]["n"]) == (soon, 250)
    early = max(caller.at for caller in callers) + timedelta(minutes=29)
    due = sum(early - caller.at >= timedelta(minutes=30) for caller in callers)
    assert figures(store.database, wanted, now=early)["contacted_within"]["n"] == due < 250
    assert (found["alerts"], found["calls"]) == (250, 250 + sum(caller.back_at is not None for caller in callers))
    assert sum(week["alerts"] for week in found["weeks"]) == 250
    assert sum(week["calls"] for week in found["weeks"]) == found["calls"]
    store.database.close()
