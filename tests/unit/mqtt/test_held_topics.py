"""For how long a topic is left alone."""

import pytest

from edge.mqtt.held_topics import HeldTopics
from edge.mqtt.incoming import Reason
from edge.wire.topics import Topics

NO = Reason(code=0x87, name="Not authorized")


class Clock:
    """Stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("hold", "seconds"),
    [
        (lambda held: held.refused("info", NO), [1, 2, 4, 8, 16, 30, 30]),
        (lambda held: held.deadly("info", 900), [30, 60, 120, 240, 480, 600, 600]),
    ],
    ids=["refused", "ends connections"],
)
def test_a_topic_is_tried_again_ever_more_seldom_until_the_broker_takes_one(hold, seconds):
    clock = Clock()
    held = HeldTopics(Topics(prefix="undertone/v1", site="leeds", device="desk-1"), "mqtt://x", clock=clock)
    for _ in range(2):
        for wait_s in seconds:
            hold(held)
            clock.now += wait_s - 0.5
            assert held.now() == ["info"]
            clock.now += 0.5
            assert held.now() == []
        (problem,) = held.problems
        assert problem.remedy
        held.taken("info")
        assert held.problems == []
