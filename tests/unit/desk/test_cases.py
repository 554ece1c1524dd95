"""What may be done to a case, by whom, and what comes of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.cases.actions import act
from desk.cases.promise import Calendar
from desk.cases.queries import Filter, history, queue
from desk.cases.refusals import Actor, Conflict, Malformed, NoSuchCase, NotAllowed
from desk.cases.sweep import sweep
from desk.cases.vocabulary import Kind, Outcome, Result, State
from desk.cases.wishes import wish
from desk.cases.work import Action, Work, apply
from edge.clock import uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client
from tests.unit.desk.store import Store

ANN, BEN = Actor(name="ann", role="operator"), Actor(name="ben", role="operator")
LEAD = Actor(name="lea", role="lead")
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def store(make):
    store = Store(make())
    box = ScriptedBox()
    store.tell(box, *box.call())
    yield store
    store.database.close()


def do(store, verb, actor=ANN, **asked):
    return act(store.database, 1, wish(verb, asked), actor)


def commands(store):
    with store.database.read() as tx:
        return [row["topic"].split("/", 4)[4] for row in tx.all("commands_of", case_id=1)]


def test_the_way_of_a_case(store):
    assert do(store, "claim")["state"] == "claimed"
    row = do(store, "attempt", result="no_answer")
    assert (row["state"], row["attempts"], row["contacted_at"]) == ("claimed", 1, None)
    row = do(store, "attempt", result="reached", note="will look into it")
    assert (row["state"], row["contacted_by"]) == ("contacted", "ann")
    row = do(store, "close", outcome="resolved", action="refund")
    assert (row["state"], row["outcome"], row["justified"], row["closed_by"]) == ("closed", "resolved", 1, "ann")
    row = do(store, "reopen", BEN)
    assert (row["state"], row["owner"], row["outcome"], row["justified"]) == ("open", None, None, None)
    assert commands(store) == ["alert/ack", "alert/contacted", "alert/close", "feedback/alert"]


def test_of_two_claims_in_the_same_instant_one_wins_and_the_other_is_told_who(store):
    from concurrent.futures import ThreadPoolExecutor

    names = [Actor(name=f"p{n}", role="operator") for n in range(16)]
    # Two processes' worth of databases on one file, sixteen people.
    other = store.again()

    def claim(actor):
        try:
            return act((store, other)[int(actor.name[1:]) % 2].database, 1, wish("claim", {}), actor)["owner"]
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(claim, names))
    winners = [one for one in found if isinstance(one, str)]
    assert len(winners) == 1
    assert {one.owner for one in found if isinstance(one, Conflict)} == {winners[0]}
    assert all(one.at for one in found if isinstance(one, Conflict))
    assert [row for row in store.table("actions") if ("kind", "claim") in row].__len__() == 1
    other.database.close()


@pytest.mark.parametrize("verb", ["claim", "attempt", "release", "close", "snooze"])
def test_nobody_works_on_somebody_elses_case(store, verb):
    do(store, "claim")
    asked = {"attempt": {"result": "reached"}, "close": {"outcome": "resolved"}, "snooze": {"until": "2030-01-01"}}.get(verb, {})
    with pytest.raises(Conflict) as told:
        do(store, verb, BEN, **asked)
    assert (told.value.owner, bool(told.value.at)) == ("ann", True)


def test_taking_over_is_possible_and_told(store):
    do(store, "claim")
    assert do(store, "claim", BEN, take_over=True)["owner"] == "ben"
    with pytest.raises(Conflict):
        do(store, "attempt", ANN, result="reached")


@pytest.mark.parametrize(("verb", "asked"), [("claim", {}), ("attempt", {"result": "reached"}), ("release", {}),
                                             ("close", {"outcome": "duplicate"}),
                                             ("assign", {"to": "ben"}), ("snooze", {"until": "2030-01-01"})])  # fmt: skip
def test_a_late_write_never_undoes_a_close(store, verb, asked):
    do(store, "close", outcome="resolved")
    with pytest.raises(Conflict, match="closed by ann"):
        do(store, verb, ANN, **asked)
    assert store.case()["outcome"] == "resolved"


def test_an_acknowledgement_that_comes_late_does_not_undo_a_resolution(store):
    do(store, "close", outcome="resolved")
    box = ScriptedBox()
    store.tell(box, box.alert(store.case()["call"], 2, state="update", acknowledged_by="somebody"))
    case = store.case()
    assert (case["state"], case["acknowledged_by"]) == ("closed", "somebody")


def test_a_write_with_an_old_version_is_refused_and_says_so(store):
    seen = do(store, "claim")["version"]
    do(store, "attempt", result="busy", version=seen)
    with pytest.raises(Conflict, match="moved on") as told:
        do(store, "close", outcome="resolved", version=seen)
    assert told.value.version == seen + 1
    # What is only added is never lost, whatever has happened meanwhile.
    assert do(store, "note", BEN, note="found the invoice", version=seen)["version"] == seen + 2


def test_text_survives_a_change_of_hands(store):
    do(store, "claim")
    do(store, "note", note="promised a call at four")
    do(store, "claim", BEN, take_over=True)
    with store.database.read() as tx:
        assert any("promised a call at four" in row["data"] for row in tx.all("actions_of", case_id=1))


def test_a_claim_without_an_attempt_goes_back_and_one_with_an_attempt_stays(store):
    do(store, "claim")
    later = datetime.now(UTC) + timedelta(minutes=16)
    assert sweep(store.database, claim_minutes=15, moment=lambda: datetime.now(UTC) + timedelta(minutes=14)) == 0
    assert sweep(store.database, claim_minutes=15, moment=lambda: later) == 1
    case = store.case()
    assert (case["state"], case["owner"], bool(case["lapsed_at"])) == ("open", None, True)
    do(store, "claim", BEN)
    do(store, "attempt", BEN, result="no_answer")
    sweep(store.database, claim_minutes=15, moment=lambda: later + timedelta(minutes=30))
    assert store.case()["owner"] == "ben"


def test_a_forgotten_claim_that_was_attempted_meanwhile_does_not_lapse(store):
    seen = do(store, "claim")
    do(store, "attempt", result="voicemail", version=seen["version"])
    assert store.case()["attempted"] == 1


def test_who_does_not_want_to_be_called_is_not_called_in_another_case_either(make):
    store, box = Store(make()), ScriptedBox()
    for customer in ("K-1", "K-1", "K-2"):
        store.tell(box, *box.call(customer_ref=customer))
    act(store.database, 1, wish("attempt", {"result": "do_not_contact"}), ANN)
    rows, _ = queue(store.database, Filter(), "ann", ())
    assert {row["id"]: row["contact_forbidden"] for row in rows} == {1: 1, 2: 1, 3: 0}
    store.database.close()


def test_what_waits_too_long_is_escalated_and_missed_once(store):
    late = datetime.now(UTC) + timedelta(hours=2)
    assert sweep(store.database, claim_minutes=15, moment=lambda: late) == 2
    assert sweep(store.database, claim_minutes=15, moment=lambda: late) == 0
    case = store.case()
    assert case["escalated_at"]
    assert case["missed_at"]
    # Rules' notes make nobody's form stale.
    assert do(store, "claim", version=1)["owner"] == "ann"


def test_counts_and_lists_are_one(store):
    box = ScriptedBox("york", "desk-2")
    for severity in ("low", "critical", "medium"):
        store.tell(box, box.alert(uuid7(), severity=severity, route="technical"))
    act(store.database, 2, wish("claim", {}), BEN)
    for wanted in (
        Filter(state="live", who="both"),
        Filter(state="live", who="unassigned"),
        Filter(state="open"),
        Filter(),
        Filter(site="york"),
    ):
        rows, count = queue(store.database, wanted, "ann", ())
        assert len(rows) == count
    rows, count = queue(store.database, Filter(state="live", who="both"), "ann", ())
    assert [row["severity"] for row in rows] == ["critical", "high", "medium"]
    assert history(store.database, Filter(), "ann", ("technical",))[1] == 3
    assert queue(store.database, Filter(state="live"), "ann", ())[0][0]["severity"] == "critical"


def test_a_snoozed_case_waits_elsewhere_and_comes_back(store):
    do(store, "snooze", until="2030-01-01T00:00:00Z")
    assert queue(store.database, Filter(state="live"), "ann", ())[1] == 0
    assert queue(store.database, Filter(state="snoozed"), "ann", ())[1] == 1
    do(store, "snooze", until="2020-01-01T00:00:00Z")
    assert queue(store.database, Filter(state="live"), "ann", ())[1] == 1


def test_only_leads_assign_what_is_somebody_elses(store):
    store.people("ben")
    do(store, "claim")
    with pytest.raises(NotAllowed):
        do(store, "assign", BEN, to="ben")
    assert do(store, "assign", LEAD, to="ben")["owner"] == "ben"


@pytest.mark.parametrize(("name", "says"), [
    ("bem", "did you mean ben"), ("nobody at all", "give the name of a user"), ("Ben", "did you mean ben"), ("gone", "works on no cases"),
    ("ana", "works on no cases"), ("a program", "works on no cases"), ("x" * 5000, "x' works on no cases"),
])  # fmt: skip
def test_a_case_is_assigned_to_nobody_who_could_not_work_on_it(store, name, says):
    store.people("ben", "gone")
    store.people("ana", role="analyst")
    with store.database.write() as tx:
        tx.run("user_disable", name="gone")
    answer = Client(store, "a program", "lead").post("/api/cases/1/assign", json={"to": name})
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert len(answer.json()["error"]) < 200
    assert (store.case()["owner"], commands(store)) == (None, [])
    assert Client(store, "a program", "lead").post("/api/cases/1/assign", json={"to": "ben"}).json()["owner"] == "ben"


def test_a_case_that_there_is_not(store):
    with pytest.raises(NoSuchCase):
        act(store.database, 99, wish("claim", {}), ANN)


@pytest.mark.parametrize(("verb", "asked", "says"), [
    ("explode", {}, "give one of"), ("attempt", {"result": "shouted"}, "result: give one of"), ("close", {}, "outcome: give one of"),
    ("close", {"outcome": "false_alarm"}, "say why"), ("note", {"note": "  "}, "note"), ("note", {"note": 7}, "note: give text"),
    ("note", {"note": "x" * 20_000}, "at most"), ("assign", {}, "to:"), ("snooze", {"until": "soon"}, "give a time"),
    ("claim", {"version": "two"}, "version"), ("claim", {"version": True}, "version"), ("attempt", {"result": ["reached"]}, "result"),
    ("attempt", {"result": "call_back_at", "call_back_at": "x"}, "give a time"),
])  # fmt: skip
def test_wishes_that_make_no_sense_are_told_in_a_line(verb, asked, says):
    with pytest.raises(Malformed, match=says):
        wish(verb, asked)


@given(st.lists(st.sampled_from([kind for kind in Kind if kind is not Kind.OPENED]), max_size=30))
def test_any_sequence_of_actions_folds_to_a_sound_case(kinds):
    work = Work()
    for n, kind in enumerate(kinds):
        data = {"to": "ben", "result": list(Result)[n % 8].value, "outcome": list(Outcome)[n % 8].value, "until": "2030",
                "call_back_at": "2030", "due_at": "2030", "policy": "p", "how": "h", "case": 1, "arm": "held"}  # fmt: skip
        work = apply(work, Action(kind=kind, at=f"2026-01-01T00:00:{n:02d}.000Z", actor="ann", data=data))
        assert (work.outcome is None) == (work.state is not State.CLOSED) or kind not in {Kind.CLOSE, Kind.REOPEN}
        assert (work.owner is None) == (work.owner_since is None)
        assert (work.contacted_at is None) == (work.contacted_by is None)
    assert Work.of(work.columns) == work


MON = {"mon": "09:00-17:00", "tue": "09:00-17:00", "fri": "09:00-17:00"}


@pytest.mark.parametrize(("hours", "closed", "start", "minutes", "due"), [
    ({}, (), "2026-06-01T23:50", 30, "2026-06-02T00:20"),
    (MON, (), "2026-06-01T10:00", 30, "2026-06-01T10:30"),
    (MON, (), "2026-06-01T16:50", 30, "2026-06-02T09:20"),
    (MON, (), "2026-06-02T18:00", 30, "2026-06-05T09:30"),
    (MON, ("2026-06-05",), "2026-06-02T18:00", 30, "2026-06-08T09:30"),
    (MON, (), "2026-06-01T10:00", 960, "2026-06-05T10:00"),
    ({"sun": "00:00-24:00"}, (), "2026-03-29T00:30", 60, "2026-03-29T02:30"),
    ({"sun": "00:00-24:00"}, (), "2026-10-25T00:30", 120, "2026-10-25T01:30"),
])  # fmt: skip
def test_promises_count_opening_hours_through_closed_days_and_changed_clocks(hours, closed, start, minutes, due):
    calendar = Calendar(zone=LONDON, hours=hours, closed=closed)
    found = calendar.due(datetime.fromisoformat(start).replace(tzinfo=LONDON), minutes)
    assert found.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M") == due


@given(st.integers(0, 100_000), st.integers(1, 3000), st.integers(1, 3000))
def test_a_longer_promise_is_never_due_sooner(offset, one, two):
    calendar = Calendar(zone=LONDON, hours=MON)
    start = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=offset)
    assert calendar.due(start, min(one, two)) <= calendar.due(start, max(one, two))


def test_quiet_hours_go_over_midnight_in_the_sites_zone():
    calendar = Calendar(zone=LONDON, hours={}, quiet="21:00-08:00")
    quiet = [hour for hour in range(24) if calendar.is_quiet(datetime(2026, 7, 1, hour, 0, tzinfo=UTC))]
    assert quiet == [0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 23]
