"""What is wrong with the bus, and how often the log hears of it."""

import logging

from edge.errors import Problem
from edge.journal.reminders import Reminders
from edge.mqtt.held_topics import HeldTopics
from edge.mqtt.reconnects import Reconnects

_log = logging.getLogger("undertone.bus")


class Troubles:
    """Why there is no connection, who ends them, what is not taken. `told` and `mended` are for one thread, the rest for any."""

    def __init__(self, reconnects: Reconnects, held: HeldTopics) -> None:
        self._reconnects, self._held = reconnects, held
        self._trouble: Problem | None = None
        self._reminders = Reminders()

    @property
    def standing(self) -> list[Problem]:
        """What is wrong whether or not there is a connection now."""
        suspicion = self._reconnects.suspicion
        return [*([] if suspicion is None else [suspicion]), *self._held.problems]

    @property
    def all(self) -> list[Problem]:
        """Everything; why there is no connection first."""
        trouble = self._trouble
        return [*([] if trouble is None else [trouble]), *self.standing]

    def record(self, trouble: Problem | None) -> None:
        """There is no connection because of `trouble` (None: we ended it)."""
        self._trouble = trouble
        for problem in (trouble, self._reconnects.suspicion):
            if problem is not None and self._reminders.due(problem):
                _log.warning("bus.trouble %s", problem)

    def mended(self, url: str) -> None:
        """There is a connection. Of a row of short ones not each is told."""
        self._trouble = None
        if self._reminders.due("connected"):
            _log.info("bus.connected url=%s", url)

    def settled(self) -> None:
        """The connection has lasted: what comes now is news."""
        self._reminders.all_over()
