"""Whatever is put, sent, refused, cut off and crashed, in any order: first in is first out, and every number comes or is announced."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.wire.cloudevents import envelope
from edge.wire.codes import AlertEnd
from tests.telling import alert, bodies, consumer, open_outbox, text


@given(st.permutations(range(4)))
def test_the_docs_consumer_has_an_alert_as_last_told_on_whatever_route_and_in_whatever_order_it_comes(order):
    moved = {"end_reason": AlertEnd.MOVED, "moved_to": "legal"}
    told = [alert(1), alert(2, "end", **moved), alert(3, "new", route="legal"), alert(4, "update", route="legal")]
    prove = consumer()(since=0)
    for n in order:
        event = json.loads(envelope(told[n], site="leeds", device="desk-1", sequence=n + 1))
        prove.take(f"undertone/v1/leeds/desk-1/{told[n].topic}", event)
    assert {one["revision"]: one["route"] for one in prove.alerts.values()} == {4: "legal"}


def test_an_event_that_the_broker_refuses_once_is_taken_before_its_successors(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(n, line=line) for n in range(1, 31) for line in ("line-1", "line-2")])
    taken, refusals = {"text/line-1": [], "text/line-2": []}, 3
    while rows := outbox.pending(20):
        for row in rows:
            outbox.sent(row)
        for row in rows:
            if row.topic == "text/line-1" and refusals:
                outbox.refused(row)
                refusals -= 1
            else:
                outbox.acknowledged(row)
                taken[row.topic].append(row.sequence)
    assert taken == {topic: list(range(1, 31)) for topic in taken}
    outbox.close()


@settings(max_examples=15)
@given(st.lists(st.integers(0, 2), max_size=40), st.randoms(use_true_random=False))
def test_what_was_put_first_is_sent_first_on_whatever_topic_a_call_begins_before_it_ends(lines, chance):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        outbox = open_outbox(Path(folder))
        outbox.put([text(n, line=f"line-{line}") for n, line in enumerate(lines)])
        sent, in_flight = [], []
        while True:
            rows = outbox.pending(20)
            for row in rows:
                outbox.sent(row)
            sent += [row.row for row in rows]
            in_flight += rows
            if not in_flight:
                break
            outbox.acknowledged(in_flight.pop(chance.randrange(len(in_flight))))
        assert sent == sorted(sent)
        assert len(sent) == len(lines)
        outbox.close()


def test_the_next_alert_of_a_team_goes_before_whatever_is_none(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([*(text(n, line=f"line-{n}") for n in range(5)), alert(1), alert(2, "update")])
    [first] = outbox.pending(20)
    outbox.sent(first)
    assert (first.topic, outbox.pending(20)) == ("alert/billing", [])
    outbox.acknowledged(first)
    second, *rest = outbox.pending(20)
    assert second.topic == "alert/billing"
    assert [row.topic for row in rest] == [f"text/line-{n}" for n in range(5)]
    outbox.close()


def test_an_event_that_the_broker_had_and_lost_as_it_died_is_not_told_after_its_successors_by_the_next_start(tmp_path):
    outbox = open_outbox(tmp_path)
    outbox.put([text(1), text(2)])
    first = outbox.pending(20)[0]
    outbox.sent(first)
    outbox.acknowledged(first)
    # The broker dies, and what it had not handed on yet with it; it comes back and is sent the second; then the box is killed.
    outbox.nothing_in_flight()
    [second] = outbox.pending(20)
    assert second.sequence == 2
    outbox.sent(second)
    outbox._store.close()
    outbox = open_outbox(tmp_path)
    assert [body["sequence"] for body in bodies(outbox)] == [2]
    outbox.close()


class AnyOrder(RuleBasedStateMachine):
    """Whatever is put, sent, acknowledged, cut off, evicted and crashed: every number comes, or is announced, in order."""

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.outbox = open_outbox(self.path, max_bytes=20_000)
        self.put_so_far = 0
        self.in_flight = []
        self.lost_by_broker = []
        self.prove = consumer()(since=0)
        self.last = {}

    @rule(count=st.integers(1, 30), line=st.sampled_from(["line-1", "line-2"]))
    def put(self, count, line):
        self.outbox.put([text(self.put_so_far + n, line=line) for n in range(count)])
        self.put_so_far += count

    @rule()
    def put_alert(self):
        self.put_so_far += 1
        self.outbox.put([alert(self.put_so_far)])

    @rule(count=st.integers(1, 20))
    def send(self, count):
        for row in self.outbox.pending(count):
            self.outbox.sent(row)
            self.in_flight.append(row)

    @precondition(lambda self: self.in_flight)
    @rule()
    def acknowledge(self):
        row = self.in_flight.pop(0)
        self.received(row)
        self.outbox.acknowledged(row)

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 20))
    def refuse(self, which):
        """The broker refuses one, and takes what was sent with it."""
        self.outbox.refused(self.in_flight.pop(which % len(self.in_flight)))

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 20))
    def broker_dies_with_one(self, which):
        """It had acknowledged it, and told nobody yet."""
        row = self.in_flight.pop(which % len(self.in_flight))
        self.outbox.acknowledged(row)
        self.lost_by_broker.append(row)
        self.connection_lost(0)

    @precondition(lambda self: self.in_flight)
    @rule(delivered=st.integers(0, 5))
    def connection_lost(self, delivered):
        """Some of what was sent has reached the broker, and its PUBACK has not reached us."""
        for row in self.in_flight[:delivered]:
            self.received(row)
        self.in_flight = []
        self.outbox.nothing_in_flight()

    @rule()
    def crash(self):
        self.in_flight = []
        self.outbox._store.close()
        self.outbox = open_outbox(self.path, max_bytes=20_000)

    def received(self, row):
        event = json.loads(row.body)
        if self.prove.take(f"p/{row.topic}", event) and row.topic != "gap":
            assert event["sequence"] > self.last.get(row.topic, 0), "out of order"
            self.last[row.topic] = event["sequence"]

    @invariant()
    def rest_is_bounded(self):
        # What is on its way cannot go, be it a gap.
        assert self.outbox._table._bytes[1] <= 20_000 + sum(len(row.body) + 260 for row in self.in_flight)

    def teardown(self):
        self.outbox.nothing_in_flight()
        while rows := self.outbox.pending(1000):
            for row in rows:
                self.outbox.sent(row)
                self.received(row)
                self.outbox.acknowledged(row)
        for row in self.lost_by_broker:
            self.prove.take(f"p/{row.topic}", json.loads(row.body))
        assert self.prove.missing() == {}
        self.outbox.close()
        self.folder.cleanup()


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


TestAnyOrder = pytest.mark.takes(2)(AnyOrder.TestCase)
