"""Calls that are over: their alerts can still be answered, and who the customer was can still become known."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from edge.call.rules.alert import alert_events
from edge.call.rules.answers import answered, named
from edge.config import AlertsConfig, trunk_of
from edge.wire.codes import ReplyReason
from edge.wire.commands import AlertAction
from edge.wire.context import Context
from edge.wire.events import Alert, Event
from edge.wire.replies import Answer, refused

# Of one line, where nothing is kept on a disk.
_REMEMBERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """What a command brought about, and what to answer."""

    answer: Answer
    events: list[Event] = field(default_factory=list)


class CallMemory(Protocol):
    """Who knows calls and alerts by what was told of them. For any thread."""

    def last_alert(self, *, alert: str | None = None, call: str | None = None) -> Alert | None:
        """An alert as it was told last, by its own id or its call's; None where nobody knows it."""

    def call_named(self, line: str, pbx_call_id: str) -> str | None:
        """The id of the call on `line` that the switchboard calls so; None where there was none."""


class Remembered:
    """A CallMemory without a disk: it knows what `keep` was told."""

    def __init__(self) -> None:
        self._alerts: OrderedDict[str, Alert] = OrderedDict()
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()

    def keep(self, line: str, call: str, context: Context, alert: Alert | None) -> None:
        """A call is over, or its alert has changed since."""
        if context.pbx_call_id is not None:
            self._names[line, context.pbx_call_id] = call
        if alert is not None:
            self._alerts[call] = alert
        for kept in (self._alerts, self._names):
            while len(kept) > _REMEMBERED:
                kept.popitem(last=False)

    def last_alert(self, *, alert: str | None = None, call: str | None = None) -> Alert | None:
        """See CallMemory."""
        return next((one for one in self._alerts.values() if alert == one.alert or call == one.call), None)

    def call_named(self, line: str, pbx_call_id: str) -> str | None:
        """See CallMemory."""
        return self._names.get((line, pbx_call_id))


class PastCalls:
    """What can still be done about calls that are over. Each alert is changed by one thread: that of its line."""

    def __init__(
        self,
        memory: CallMemory | None = None,
        *,
        outcomes: Collection[str] = AlertsConfig().outcomes,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`memory` learns by itself what is told (the outbox); None: only what `keep` is told is known."""
        self._own = None if memory is not None else Remembered()
        self._memory: CallMemory = memory or self._own or Remembered()
        self._outcomes, self._clock = outcomes, clock

    def keep(self, line: str, call: str, context: Context, alert: Alert | None) -> None:
        """A call is over; its alert, if it had one, as told last."""
        if self._own is not None:
            self._own.keep(line, call, context, alert)

    def named(self, line: str, pbx_call_id: str) -> str | None:
        """The call on `line` that the switchboard called so; None where there was none."""
        return self._memory.call_named(line, pbx_call_id)

    def act(self, action: AlertAction) -> Handled:
        """Somebody did something about an alert of a past call."""
        alert = self._memory.last_alert(alert=action.alert)
        if alert is None:
            return Handled(answer=refused(ReplyReason.UNKNOWN_ALERT, alert=action.alert))
        return self._told(*answered(alert, action, self._clock(), self._outcomes))

    def update(self, call: str, context: Context) -> Handled:
        """More is known of whose call it was: its alert says so, if it can still be answered."""
        alert = self._memory.last_alert(call=call)
        if alert is None:
            return Handled(answer=refused(ReplyReason.UNKNOWN_CALL))
        return self._told(*named(alert, context, self._clock()))

    def _told(self, alert: Alert | None, answer: Answer) -> Handled:
        if alert is None:
            return Handled(answer=answer)
        self.keep(trunk_of(alert.line), alert.call, Context(pbx_call_id=alert.pbx_call_id), alert)
        return Handled(events=alert_events([alert]), answer=answer)
