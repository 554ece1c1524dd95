"""A customer is erased wherever a desk can have written of them: also in what people typed, what waits to be sent, and the audit."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from desk.cases.actions import act
from desk.cases.refusals import Actor
from desk.cases.wishes import wish
from desk.config import DeskConfig, KeepConfig, WebhookConfig
from desk.ingest.erase import erase
from desk.ingest.keeping import forget
from desk.ingest.mentions import Mentions
from desk.ingest.pbx import take_told
from desk.ingest.rebuild import rebuild
from desk.notify.webhook import collect, deliver
from desk.switchboard.calls import Told
from desk.web.maintenance import Maintenance
from edge.clock import rfc3339, uuid7
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client
from tests.unit.desk.store import Store

ANN = Actor(name="ann", role="operator")
TABLES = (
    "events", "status", "actions", "calls", "utterances", "cases", "commands", "deliveries", "audit", "refused",
    "changes", "presence", "meta",
)  # fmt: skip


def switchboard(store, **told):
    moment = datetime.now(UTC)
    body = {"callId": "pbx-7", "from": "+441134960001", "to": "4711"} | told
    with store.database.write() as tx:
        take_told(tx, Told.read(body, moment), "/undertone-desk/cti/pbx", json.dumps({"data": body}), rfc3339(moment), ())


def lived(store):
    """Customer K-1055's call, told of by the switchboard; and what was done and written, about them and, of them, about another."""
    box, name = ScriptedBox(), uuid7()
    store.tell(box, box.started(name, at=datetime.now(UTC)))
    switchboard(store, event="newCall", **{"from": "+441139999999"})
    switchboard(store, event="answer", customer_ref="K-1055")
    store.tell(box, box.utterance(name, 1, -0.6), box.alert(name), box.summary(name))
    store.tell(ScriptedBox("york"), *ScriptedBox("york").call(random.Random(2), customer_ref="K-2000", callback="+441134960002"))
    act(store.database, 1, wish("note", {"note": "K-1055 was loud"}), ANN)
    act(store.database, 2, wish("note", {"note": "the sister of k-1055; try +44 113 496-0001 or 0044 (113) 4960001, not K-10551"}), ANN)
    act(store.database, 2, wish("close", {"outcome": "resolved", "action": "rang K-1055 instead"}), ANN)
    collect(store.database)
    for address in (
        "/history.csv?customer=K-1055",
        "/api/cases?format=csv&customer=%2B441134960001",
        "/api/calls?customer=K-2000&format=csv",
    ):
        assert Client(store, "ann", "lead").get(address).status_code == 200


@pytest.mark.parametrize("who", ["K-5", "+44 113 496 0001"])
def test_an_erased_customer_is_nowhere_and_the_counts_stay(store, box, who):
    store.tell(box, *box.call(random.Random(1), customer_ref="K-5", callback="+441134960001"))
    store.tell(box, *box.call(random.Random(2), customer_ref="K-6", callback="+441134960002"))
    act(store.database, 1, wish("close", {"outcome": "resolved", "action": "K-5 got a refund", "note": "spoke to K-5"}), ANN)
    assert erase(store.database, who, ()) == (1, 1)
    for table in ("events", "actions", "calls", "cases", "commands", "status"):
        text = repr(store.table(table))
        assert "K-5" not in text
        assert "960001" not in text
    call = store.case(1)["call"]
    with store.database.read() as tx:
        assert not any("charged me twice" in row["body"] for row in tx.all("events_of_call_all", call=call))
    assert (len(store.table("cases")), store.case(1)["outcome"], store.case(2)["customer_ref"]) == (2, "resolved", "K-6")
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


@pytest.mark.parametrize("who", ["K-1055", "+44 113 4960001"])
def test_nothing_of_an_erased_customer_is_left_anywhere(store, who):
    lived(store)
    assert any("K-1055" in repr(store.table(name)) for name in ("commands", "deliveries", "audit"))
    assert erase(store.database, who, ()) == (1, 1)
    # What every box is told to forget says whom until it has.
    with store.database.write() as tx:
        tx.run("command_lapsed", now=rfc3339(datetime.now(UTC) + timedelta(days=15)))
        tx.run("erasures_lapsed")
    for name in TABLES:
        text = repr(store.table(name)).replace("K-10551", "").replace("K-20", "")
        assert "k-1055" not in text.lower(), name
        assert "4960001" not in text.replace(" ", "").replace("-", "").replace(")", ""), name
        # By which number the switchboard first told of the call.
        assert "9999999" not in text, name
    before = store.projections()
    rebuild(store.database, ())
    assert store.projections() == before


def test_what_was_written_of_others_stays_and_other_systems_still_learn_what_was_done(store):
    lived(store)
    kinds = sorted(json.loads(dict(row)["body"])["kind"] for row in store.table("deliveries"))
    erase(store.database, "K-1055", ())
    notes = [json.loads(dict(row)["data"]).get("note") for row in store.table("actions")]
    assert "the sister of (erased); try (erased) or (erased), not K-10551" in notes
    assert store.case(2)["action_taken"] == "rang (erased) instead"
    assert sorted(json.loads(dict(row)["body"])["kind"] for row in store.table("deliveries")) == kinds
    asked = [dict(row)["detail"] for row in store.table("audit") if dict(row)["what"] == "export"]
    assert sorted("K-2000" in one for one in asked) == [False, False, True]
    assert sum("customer=erased" in one for one in asked) == 2


def test_what_is_posted_after_an_erasure_names_nobody_though_it_was_due_before(store, tmp_path):
    lived(store)
    (tmp_path / "key").write_text("s3cret")
    posted = []

    def post(_url, body, _headers):
        if not posted:
            erase(store.database, "K-1055", ())
        posted.append(body.decode())

    assert deliver(store.database, WebhookConfig(url="http://hook.example/", secret_file=str(tmp_path / "key")), post) == len(posted)
    assert len(posted) > 3
    assert "k-1055" not in "".join(posted[1:]).replace("K-10551", "").lower()


def test_what_is_collected_as_a_customer_is_erased_names_nobody(store, monkeypatch):
    lived(store)
    act(store.database, 1, wish("note", {"note": "K-1055 once more"}), ANN)
    write = store.database.write

    def erased_first():
        monkeypatch.undo()
        erase(store.database, "K-1055", ())
        return write()

    monkeypatch.setattr(store.database, "write", erased_first)
    assert collect(store.database) == 1
    assert "K-1055" not in repr(store.table("deliveries")).replace("K-10551", "")


def test_a_box_that_was_away_is_not_told_any_more_whose_call_it_was(store):
    lived(store)
    erase(store.database, "K-1055", ())
    with store.database.read() as tx:
        assert [row["topic"].rpartition("/")[2] for row in tx.all("commands_pending")].count("context") == 0


def test_what_boxes_were_told_of_calls_is_kept_no_longer_than_events(store):
    lived(store)
    with store.database.write() as tx:
        for row in tx.all("commands_pending"):
            tx.run("command_reply", id=row["id"], state="accepted", reply="{}", at=rfc3339(datetime.now(UTC)))
    forget(store.database, KeepConfig(events_days=30), datetime.now(UTC) + timedelta(days=29))
    assert "K-1055" in repr(store.table("commands"))
    forget(store.database, KeepConfig(events_days=30), datetime.now(UTC) + timedelta(days=31))
    assert "K-1055" not in repr(store.table("commands"))


@pytest.mark.parametrize(("from_site", "erased"), [("leeds", True), ("york", False)])
def test_what_a_box_has_erased_the_desk_forgets_too_and_no_other_box_can_say_so(store, from_site, erased):
    lived(store)
    call, other = store.case(1)["call"], ScriptedBox(from_site)
    data = {"calls": [call, 7, "no such call"], "alerts": [], "events": 0, "announced": 0, "by": None}
    event = other.event("device.erased", "erased", "e1", data)
    store.tell(other, event)
    text = "".join(repr(store.table(name)) for name in ("events", "calls", "cases", "actions", "commands", "deliveries", "audit"))
    assert ("K-1055" not in text.replace("K-10551", "")) is erased
    # What the switchboard told of the call, too.
    assert ("9999999" not in text) is erased
    assert store.case(2)["customer_ref"] == "K-2000"
    assert (store.case(1)["customer_ref"] or "").startswith("erased-") is erased
    before = store.projections()
    # Told again, or read again, it changes nothing.
    store.tell(other, event | {"id": "e2"})
    rebuild(store.database, ())
    assert store.projections() == before


def test_boxes_are_told_to_forget_a_customer_and_the_command_says_whom_only_until_they_have(store, box):
    store.tell(box, box.event("device.state", "state", "s1", {"state": "online", "boot": 1, "since": None, "reasons": [], "lines": {}}))
    store.tell(box, *box.call(customer_ref="K-5"))
    erase(store.database, "K-5", ())
    [command] = [dict(row) for row in store.table("commands")]
    assert command["topic"].endswith("/customer/erase")
    told = json.loads(command["body"])
    assert (told["customer_ref"], told["callback"], told["by"]) == ("K-5", "K-5", "desk")
    with store.database.write() as tx:
        tx.run("command_sent", seq=command["seq"], at=rfc3339(datetime.now(UTC)))
    data = {"id": told["id"], "command": "customer/erase", "accepted": True, "reason": None}
    store.tell(box, box.event("reply", "reply", "r1", data))
    assert "K-5" not in repr(store.table("commands"))


def test_whom_a_box_never_answered_of_is_forgotten_when_its_time_is_over(store, box):
    store.tell(box, box.event("device.state", "state", "s1", {"state": "online", "boot": 1, "since": None, "reasons": [], "lines": {}}))
    erase(store.database, "K-5", ())
    maintenance = Maintenance(store.config, store.database, None)
    maintenance.prune()
    assert "K-5" in repr(store.table("commands"))
    with store.database.write() as tx:
        tx.run("command_lapsed", now=rfc3339(datetime.now(UTC) + timedelta(days=15)))
    maintenance.prune()
    assert "K-5" not in repr(store.table("commands"))


@pytest.mark.parametrize("whose", ["another's", "many's", "nobody else's"])
@pytest.mark.parametrize("by", ["the desk", "the box"])
def test_a_number_that_is_also_anothers_stays_in_what_was_written_of_them(make, whose, by):
    box, theirs = ScriptedBox(), "+441134960001"
    shared = ("0044 113 4960001",) if whose == "many's" else ()
    store = Store(make(), DeskConfig(shared_numbers=shared))
    store.tell(box, *box.call(random.Random(1), customer_ref="K-1055", callback=theirs))
    other = theirs if whose == "another's" else "+441134960002"
    store.tell(box, *box.call(random.Random(2), customer_ref="K-2000", callback=other))
    for case in (1, 2):
        act(store.database, case, wish("note", {"note": "K-1055, at 0113 496 0001"}), ANN)
    if by == "the desk":
        assert erase(store.database, "K-1055", shared) == (1, 1)
    else:
        store.tell(box, box.event("device.erased", "erased", "e1", {"calls": [store.case(1)["call"]], "alerts": [], "events": 0}))
    notes = [json.loads(dict(row)["data"]).get("note") for row in store.table("actions") if dict(row)["kind"] == "note"]
    store.database.close()
    kept = "(erased)" if whose == "nobody else's" else "0113 496 0001"
    assert sorted(notes, key=str) == [f"(erased), at {kept}", None]


@pytest.mark.parametrize(("names", "text", "left"), [
    (["C-77"], "C-77, c-77; C-778 and XC-77", "(erased), (erased); C-778 and XC-77"),
    # Too short to be nobody else's.
    (["12"], "12 euros", "12 euros"), ([], "as it was", "as it was"),
    (["+441134960001"], "0044 113 496 0001/+441134960001/441134960001", "(erased)/(erased)/(erased)"),
    (["01134960001"], "0113 496-0001 but 011349600012", "(erased) but 011349600012"),
    # At home nobody writes the country's code; and whoever writes it may write both.
    (["+441134960001"], "0113 496 0001, +44 (0)113 4960001, 0044 0113 496 0001", "(erased), (erased), (erased)"),
    (["01134960001"], "+44 113 496 0001, +44 (0)113-4960001, 00441134960001", "(erased), (erased), (erased)"),
    (["+441134960001"], "0113 496 0002, 1134960001 euros, 0201134960001", "0113 496 0002, 1134960001 euros, 0201134960001"),
    (["01134960001"], "+44 113 496 0002, 1134960001 euros", "+44 113 496 0002, 1134960001 euros"),
    (["+12345"], "02345, 0345", "02345, 0345"),
    ([".*"], "anything .* at all", "anything .* at all"), (["a.c*"], "abc a.c*", "abc (erased)"),
])  # fmt: skip
def test_a_mention_is_found_as_a_whole_however_a_number_is_written(names, text, left):
    assert Mentions(names).without(text) == left
