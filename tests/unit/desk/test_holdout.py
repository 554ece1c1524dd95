"""Customers drawn by lot: who is held, what becomes of a held case, and what is read off it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from desk.cases.actions import act
from desk.cases.holdout import Arm, Holdout
from desk.cases.queries import Filter, history, queue
from desk.cases.refusals import Actor
from desk.cases.sweep import sweep
from desk.cases.wishes import wish
from desk.config import DeskConfig, HoldoutConfig
from desk.impact.figures import Wanted, figures
from desk.impact.holdout import Drawn, trial
from desk.ingest.alerts import Policy
from desk.ingest.rebuild import rebuild
from edge.clock import rfc3339, uuid7
from edge.errors import ConfigError
from tests.scripted_box import ScriptedBox
from tests.unit.desk.store import Store

ANN = Actor(name="ann", role="operator")
KEY = b"0123456789abcdef0123456789abcdef"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
HOLD = Holdout(key=KEY, share=0.2, severities=("low", "medium"))
HELD = next(name for n in range(100) if HOLD.draw(f"ref:{(name := f'K-{n}')}", "low", "x") is Arm.HELD)
OFFERED = next(name for n in range(100) if HOLD.draw(f"ref:{(name := f'K-{n}')}", "low", "x") is Arm.OFFERED)


@pytest.fixture
def store(make, tmp_path):
    (tmp_path / "key").write_bytes(KEY)
    store = Store(make(), DeskConfig(holdout=HoldoutConfig(share=0.2, key_file=str(tmp_path / "key"))))
    yield store
    store.database.close()


def tell(store, customer, severity="medium", **more):
    box, name = ScriptedBox(), uuid7()
    store.tell(box, box.started(name, customer_ref=customer), box.alert(name, severity=severity, **more))
    return box, name


def live(store, state="live"):
    return [row["id"] for row in queue(store.database, Filter(state=state), "ann", ())[0]]


def test_the_draw_is_the_customers_and_a_share_of_them():
    drawn = {n: HOLD.draw(f"ref:K-{n}", "medium", "billing") for n in range(5000)}
    assert drawn == {n: HOLD.draw(f"ref:K-{n}", "low", "delivery") for n in range(5000)}
    # 20 % of 5,000, within four standard deviations.
    assert abs(sum(arm is Arm.HELD for arm in drawn.values()) - 1000) < 114
    other = Holdout(key=b"another key, as long as that one", share=0.2, severities=("medium",))
    assert 0.5 < sum(other.draw(f"ref:K-{n}", "medium", "x") is arm for n, arm in drawn.items()) / 5000 < 0.9
    more = Holdout(key=KEY, share=0.3, severities=("medium",))
    assert all(more.draw(f"ref:K-{n}", "medium", "x") is Arm.HELD for n, arm in drawn.items() if arm is Arm.HELD)


@pytest.mark.parametrize(
    ("customer", "severity", "route"), [(None, "low", "x"), ("ref:K", "critical", "x"), ("ref:K", "low", "vulnerable")]
)
def test_whom_nobody_knows_and_what_is_grave_is_not_drawn(customer, severity, route):
    assert Holdout(key=KEY, share=0.5, severities=("low",)).draw(customer, severity, route) is None


def test_a_held_case_is_nowhere_that_asks_for_a_call_and_everywhere_else(store):
    tell(store, HELD)
    tell(store, OFFERED)
    assert (store.case(1)["arm"], store.case(2)["arm"]) == ("held", "offered")
    assert (live(store), live(store, "open"), live(store, "held")) == ([2], [2], [1])
    assert history(store.database, Filter(), "ann", ())[1] == 2
    late = datetime.now(UTC) + timedelta(days=2)
    sweep(store.database, claim_minutes=15, moment=lambda: late)
    assert (store.case(1)["escalated_at"], store.case(1)["missed_at"]) == (None, None)
    assert store.case(2)["escalated_at"]
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_a_held_case_that_is_claimed_or_becomes_grave_is_held_no_longer_and_stays_where_it_was_drawn(store):
    tell(store, HELD)
    box, name = tell(store, HELD)
    act(store.database, 1, wish("claim", {}), ANN)
    store.tell(box, box.alert(name, 2, severity="critical", state="update"))
    assert [(store.case(n)["held"], store.case(n)["arm"]) for n in (1, 2)] == [(0, "held"), (0, "held")]
    assert live(store) == [2, 1]
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_without_a_hold_out_nobody_is_drawn(make):
    store = Store(make())
    tell(store, HELD)
    assert (store.case()["arm"], live(store)) == (None, [1])
    wanted = Wanted(since="2020", until="2040", route=None, site=None, minutes=30, negative_below=-0.2)
    assert figures(store.database, wanted, now=datetime.now(UTC))["holdout"] is None
    store.database.close()


@pytest.mark.parametrize("key", [None, b"short"])
def test_a_key_that_is_none_is_told(tmp_path, key):
    if key is not None:
        (tmp_path / "key").write_bytes(key)
    with pytest.raises(ConfigError, match=r"holdout\.key_file"):
        Policy.of(DeskConfig(holdout=HoldoutConfig(share=0.1, key_file=str(tmp_path / "key"))))


def drawn(chance, *, effect, customers=1500):
    """Callers of whom four in five are offered a call and most of those get one; some of the held are called all the same."""
    for n in range(customers):
        arm = HOLD.draw(f"ref:C-{chance.random()}", "medium", "x")
        contacted = chance.random() < (0.8 if arm is Arm.OFFERED else 0.1)
        at = NEW_YEAR + timedelta(minutes=n)
        back = chance.random() < 0.4 - effect * contacted
        yield Drawn(customer=str(n), arm=arm, at=at, contacted=contacted, later=[at + timedelta(days=2)] if back else [])


def read(cases):
    return trial(cases, days=30, now=NEW_YEAR + timedelta(days=60))


@pytest.mark.takes(2)
def test_nothing_is_read_as_nothing_and_an_effect_as_what_offering_does():
    null = [read(drawn(random.Random(seed), effect=0.0)) for seed in range(100)]
    assert 88 <= sum(one.says == "no difference shown" for one in null) <= 100
    found = [read(drawn(random.Random(seed), effect=0.3)) for seed in range(30)]
    # As assigned: 0.3 for those reached, of whom there are 0.8 in one arm and 0.1 in the other.
    assert sum(one.difference.value for one in found) / 30 == pytest.approx(-0.21, abs=0.02)
    assert all(one.says == "fewer come back where a call is offered" for one in found)


def test_a_customer_counts_once_and_who_is_followed_still_waits():
    def case(customer, day, *later, arm=Arm.HELD):
        at = NEW_YEAR + timedelta(days=day)
        return Drawn(customer=customer, arm=arm, at=at, contacted=False, later=[NEW_YEAR + timedelta(days=one) for one in later])

    found = read([case("a", 1, 5, 9), case("a", 5, 9), case("b", 2, arm=Arm.OFFERED), case("c", 59), case("d", 1, 50)])
    assert (found.k1, found.n1, found.k2, found.n2, found.still_followed) == (0, 1, 1, 2, 1)
    assert found.says == "not enough data yet"


def test_impact_shows_the_arms(store):
    for customer in (HELD, OFFERED):
        at = NEW_YEAR + timedelta(days=1)
        box, name = ScriptedBox(), uuid7()
        alert = box.alert(name, severity="low", opened_at=rfc3339(at), updated_at=rfc3339(at))
        store.tell(box, box.started(name, at=at, customer_ref=customer), alert)
    again = uuid7()
    store.tell(box, box.started(again, at=at + timedelta(days=3), customer_ref=HELD))
    wanted = Wanted(
        since=rfc3339(NEW_YEAR), until=rfc3339(NEW_YEAR + timedelta(days=90)), route=None, site=None, minutes=30, negative_below=-0.2
    )
    found = figures(store.database, wanted, now=NEW_YEAR + timedelta(days=90))["holdout"][0]
    assert [(found[arm]["k"], found[arm]["n"]) for arm in ("offered", "held")] == [(0, 1), (1, 1)]
