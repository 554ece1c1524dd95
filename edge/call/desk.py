"""Alerts whose call is over: what the team does about them is echoed until they expire or are closed."""

from collections import deque
from datetime import datetime

from edge.bus.commands import AlertAction
from edge.bus.events import Event
from edge.call.alerts import Alerts, alert_events

# A day of busy calls on one line (at most one alert a rule and call); the oldest are forgotten first.
_CALLS = 500


class Desk:
    """The alerts of a line's past calls. Owned by the line's thread; lost with the process, which ends them (`restart`)."""

    def __init__(self) -> None:
        self._calls: deque[Alerts] = deque(maxlen=_CALLS)

    def keep(self, alerts: Alerts, now: datetime) -> None:
        """The call of `alerts` is over; those of it that can still be acted on are kept."""
        self._calls = deque((held for held in (*self._calls, alerts) if (until := held.acts_until()) and until > now), maxlen=_CALLS)

    def command(self, action: AlertAction, now: datetime) -> list[Event]:
        """The echo of what somebody did about an alert of a past call; nothing where it is unknown, expired or closed."""
        return [event for held in self._calls for event in alert_events(held.command(action, now))]
