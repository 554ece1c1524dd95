"""What bypasses the outbox: the latest of each, told with every connection and once more when that has lasted."""

from edge.mqtt.status_topics import StatusTopics
from edge.wire.codes import BoxState
from edge.wire.device import State
from edge.wire.topics import STATE, Topics

TOPICS = Topics(prefix="undertone/v1", site="leeds", device="desk-1")


def test_what_is_retained_is_told_once_more_minutes_after_each_connection_and_then_no_more():
    now = [1000.0]
    topics = StatusTopics(TOPICS, 1, clock=lambda: now[0])
    topics.offer(STATE, State(state=BoxState.ONLINE, boot=1, since=None, reasons=[], lines={}))
    for _ in range(2):
        topics.connected()
        (told,) = topics.take(20)
        now[0] += 59.0
        assert topics.take(20) == []
        now[0] += 300.0
        assert topics.take(20) == [told]
        now[0] += 10_000.0
        assert topics.take(20) == []
