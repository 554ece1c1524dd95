"""Answers to alerts outlive the call, a restart and a kill; real box, real mosquitto."""

import json

import pytest

from edge.outbox.outbox import Outbox
from tests.broker import Broker
from tests.real.service.test_answers import Switchboard, replies
from tests.real.service.test_app import one_line
from tests.service import Service
from tests.telling import Subscriber, alert, failed, started, until, updated


class Box:
    """A box that raised an alert in an earlier life, `state_dir` is what that left; with a central system and a team."""

    def __init__(self, tmp_path, *, ended: bool, line: str = "line-1", **given) -> None:
        (tmp_path / "state").mkdir()
        outbox = Outbox(tmp_path / "state" / "outbox.sqlite", max_bytes=10**7, site="site", device="box")
        outbox.put([started(line=line), updated(line=line, pbx_call_id="77"), alert(1, line=line, **given)])
        if ended:
            outbox.put([alert(2, "end", line=line, **given), failed(line=line)])
        outbox.close()
        self.broker = Broker(tmp_path, persistent=True)
        self.broker.start()
        self.central = Subscriber(self.broker.url).__enter__()
        self.team = Switchboard(self.broker)
        self.service = Service(tmp_path, one_line(self.broker.url)).__enter__()
        self.service.until(lambda status: status["connected"])

    def close(self) -> None:
        self.service.__exit__(None, None, None)
        self.team.client.disconnect()
        self.team.client.loop_stop()
        self.central.__exit__()
        self.broker.stop()

    def answered(self, number: str) -> dict:
        until(lambda: number in replies(self.central))
        return replies(self.central)[number]

    @property
    def last(self) -> dict:
        """The alert's snapshot of the highest revision."""
        return max((event["data"] for event in self.central.events("alert")), key=lambda data: data["revision"])


@pytest.fixture
def boxes(tmp_path):
    made = []

    def box(**given) -> Box:
        made.append(Box(tmp_path, **given))
        return made[-1]

    yield box
    for one in made:
        one.close()


@pytest.mark.parametrize("ended", [True, False], ids=["after its call", "its call broken off by a crash"])
def test_answers_after_a_restart_are_in_the_next_snapshot_or_refused_with_what_is_true(boxes, ended):
    box = boxes(ended=ended)
    box.team.say("alert/ack", id="1", alert="c1:alert", by="maria")
    taken = box.answered("1")
    assert (taken["accepted"], taken["reason"], taken["revision"]) == (True, None, 3)
    box.team.say("alert/ack", id="2", alert="c1:alert", by="joe")
    refused = box.answered("2")
    assert (refused["accepted"], refused["reason"], refused["by"], refused["revision"]) == (False, "taken", "maria", 3)
    assert refused["at"]
    box.service.process.kill()
    box.service.wait()
    box.team.say("alert/contacted", id="3", alert="c1:alert", by="maria")
    box.service.start()
    assert box.answered("3")["revision"] == 4
    box.team.say("call/line-1/context", id="4", pbx_call_id="77", customer_ref="C-1", callback="+44 20 7946 0000")
    assert box.answered("4")["accepted"]
    box.team.say("alert/close", id="5", alert="c1:alert", by="maria", outcome="resolved", note="Refund sent.", expected_revision=5)
    assert box.answered("5")["accepted"]
    box.team.say("alert/close", id="6", alert="c1:alert", by="joe", outcome="duplicate")
    assert (box.answered("6")["reason"], box.answered("6")["by"]) == ("closed", "maria")
    box.team.say("feedback/alert", id="7", alert="c1:alert", justified=True, by="maria")
    assert box.answered("7")["accepted"]
    until(lambda: box.last["revision"] == 6)
    last = box.last
    assert (last["acknowledged_by"], last["contacted_by"], last["closed_by"]) == ("maria", "maria", "maria")
    assert (last["outcome"], last["outcome_note"], last["customer_ref"]) == ("resolved", "Refund sent.", "C-1")
    assert [one["data"]["revision"] for one in box.central.events("alert")] == [1, 2, 3, 4, 5, 6]
    until(lambda: box.central.events("alerts")[-1]["data"]["alerts"] == [])
    assert "C-1" not in "\n".join(box.service.log)


def test_an_answer_after_its_time_is_refused_and_says_so(boxes):
    box = boxes(ended=True, answerable_until="2026-11-24T12:00:00.000Z")
    box.team.say("alert/ack", id="1", alert="c1:alert", by="maria")
    assert (box.answered("1")["reason"], box.answered("1")["at"]) == ("too_late", "2026-11-24T12:00:00.000Z")
    box.team.say("call/line-1/context", id="2", call="c1", customer_ref="C-1")
    assert box.answered("2")["reason"] == "too_late"
    assert box.last["revision"] == 2


def test_the_alert_of_a_line_that_is_no_longer_configured_can_be_answered(boxes):
    box = boxes(ended=True, line="line-of-old")
    box.team.say("alert/ack", id="1", alert="c1:alert", by="maria")
    assert box.answered("1")["accepted"]
    until(lambda: box.last["acknowledged_by"] == "maria")


def test_kills_at_any_moment_between_an_answer_and_its_echo_lose_none(boxes):
    """Ten answers, the box killed while they come: each is in a snapshot once the box is back, and nobody's twice."""
    box = boxes(ended=True)
    for n in range(10):
        box.team.say("alert/ack", id=f"{n}", alert="c1:alert", by=f"agent-{n}", take_over=True)
        if n % 3 == 1:
            box.service.process.kill()
            box.service.wait()
            box.service.start()
    until(lambda: {f"{n}" for n in range(10)} <= set(replies(box.central)), 120)
    until(lambda: box.last["acknowledged_by"] == "agent-9")
    told = {}
    for event in box.central.events("alert"):
        told.setdefault(event["data"]["revision"], set()).add(json.dumps(event["data"], sort_keys=True))
    assert all(len(snapshots) == 1 for snapshots in told.values())
    assert sorted(told) == list(range(1, max(told) + 1))
    assert {f"agent-{n}" for n in range(10)} <= {json.loads(next(iter(one)))["acknowledged_by"] for one in told.values()}
