"""Topics that a broker does not take for now: an ACL refuses them, or what is next on them is too large. The others go on."""

import logging
import time
from collections.abc import Callable

from edge.errors import Problem
from edge.journal.reminders import Reminders
from edge.mqtt.incoming import Reason
from edge.mqtt.limits import MORE_ROOM, PacketTooLargeError
from edge.mqtt.reasons import not_taken
from edge.wire.topics import Topics

_log = logging.getLogger("undertone.bus")

# A topic that the broker refuses is tried again so soon, and after twice as long each time: a quota is over in a second, an ACL stays.
_FIRST_AGAIN_S, _REFUSED_AGAIN_S = 1.0, 30.0
# What ended connections, and nobody said why: soon at first, for the broker may have been ill; then seldom, for the tries end others.
_DEADLY_FIRST_S, _DEADLY_AGAIN_S = 30.0, 600.0


class HeldTopics:
    """Which those are, and what is wrong with each. For one thread; `problems` for any."""

    def __init__(self, topics: Topics, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._topics, self._url, self._clock = topics, url, clock
        # Until when each is left alone; and what to tell of it until the broker takes one again.
        self._until: dict[str, float] = {}
        self._problems: dict[str, Problem] = {}
        # How long each was left alone last.
        self._waited_s: dict[str, float] = {}
        self._reminders = Reminders(clock)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with each topic of which the broker has taken nothing since."""
        return list(self._problems.copy().values())

    def now(self) -> list[str]:
        """Those to leave alone at this moment. Kept over connections: mosquitto 2.0.11 may cut the one on which it refused something."""
        moment = self._clock()
        self._until = {topic: until for topic, until in self._until.items() if until > moment}
        return list(self._until)

    def refused(self, topic: str, reason: Reason) -> None:
        """The broker said no to a message on `topic`."""
        self._hold(topic, self._longer(topic, _FIRST_AGAIN_S, _REFUSED_AGAIN_S), not_taken(self._topics.full(topic), reason, self._url))

    def too_large(self, topic: str, why: PacketTooLargeError) -> None:
        """What is next on `topic` is larger than the broker said that it takes."""
        self._hold(topic, _REFUSED_AGAIN_S, why.problem)

    def deadly(self, topic: str, size: int) -> None:
        """The broker ends the connection, without a word, at a message of so many bytes on `topic`."""
        what = f"the broker ends the connection at a message of {size:,} bytes on it"
        self._hold(
            topic,
            self._longer(topic, _DEADLY_FIRST_S, _DEADLY_AGAIN_S),
            Problem(what=what, where=self._topics.full(topic), remedy=MORE_ROOM),
        )

    def not_heard(self, topics: str, reason: Reason) -> None:
        """The broker does not let us subscribe to `topics`."""
        remedy = "let this box read it in the broker's ACL"
        self._tell(topics, Problem(what=f"{topics} refused ({reason})", where=self._url, remedy=remedy))

    def taken(self, topic: str) -> None:
        """The broker took one on `topic`."""
        self._waited_s.pop(topic, None)
        if topic in self._problems:
            self._reminders.over(self._problems.pop(topic))

    def _longer(self, topic: str, first_s: float, most_s: float) -> float:
        """How long to leave `topic` alone: twice as long each time."""
        self._waited_s[topic] = min(max(first_s, self._waited_s.get(topic, 0.0) * 2), most_s)
        return self._waited_s[topic]

    def _hold(self, topic: str, seconds: float, problem: Problem) -> None:
        self._until[topic] = self._clock() + seconds
        self._tell(topic, problem)

    def _tell(self, topic: str, problem: Problem) -> None:
        self._problems[topic] = problem
        if self._reminders.due(problem):
            _log.warning("bus.trouble %s", problem)
