"""A customer is forgotten: the events that wait, calls, alerts. What goes is told by ids and numbers, never by whom it was about."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from edge.clock import now, uuid7
from edge.outbox.recovery import call_ended
from edge.outbox.store import Store
from edge.outbox.table import Table
from edge.wire.codes import AlertEnd, AlertState, CallFailure, GapReason
from edge.wire.context import Customer
from edge.wire.device import Erased
from edge.wire.events import Alert, Event
from edge.wire.topics import ERASED, GAP, REPLY


class _Whose(msgspec.Struct, frozen=True):
    """All that is looked at of an event: whose it is."""

    call: str | None = None
    customer_ref: str | None = None
    callback: str | None = None


class _About(msgspec.Struct, frozen=True):
    data: _Whose


_about = msgspec.json.Decoder(_About)
_alert = msgspec.json.Decoder(Alert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is of a customer. `rows`: row, topic and sequence of the events that wait, in order; `open_calls`: call, line, start."""

    calls: tuple[str, ...]
    rows: tuple[tuple[int, str, int], ...]
    alerts: tuple[Alert, ...]
    open_calls: tuple[tuple[str, str, str], ...]

    def forget(self, store: Store, table: Table, acknowledged: Collection[int], *, announced: int, by: str | None) -> None:
        """Delete it all, and tell what went; what the broker has (`acknowledged`) is not lost. Inside a commit."""
        table.delete(store, (row for row, _, _ in self.rows if row in acknowledged))
        table.give_up(store, [one for one in self.rows if one[0] not in acknowledged], GapReason.ERASED)
        for call in self.calls:
            store.execute("DELETE FROM alerts WHERE call = ?", (call,))
            store.execute("DELETE FROM calls WHERE call = ?", (call,))
        for event in self.events(announced=announced, by=by):
            table.announce(store, event)

    def events(self, *, announced: int, by: str | None) -> list[Event]:
        """What is told: the end of each alert that could still be answered, of each open call, and what was forgotten."""
        alerts = [_ended(alert) for alert in self.alerts if alert.end_reason not in (AlertEnd.CLOSED, AlertEnd.WITHDRAWN)]
        data = Erased(
            calls=list(self.calls), alerts=[alert.alert for alert in self.alerts], events=len(self.rows), announced=announced, by=by
        )
        calls = [call_ended(*one, CallFailure.ERASED) for one in self.open_calls]
        return [*alerts, *calls, Event(id=f"erased:{uuid7()}", topic=ERASED, time=now(), data=data)]


def find(store: Store, customer: Customer, calls: Iterable[str], held: Iterable[Event]) -> Found:
    """Everything of `customer`, and of `calls` that are known to be theirs; `held` are events that the disk does not have yet."""
    theirs = dict.fromkeys(calls)
    theirs |= dict.fromkeys(call for (call,) in store.read("SELECT call FROM calls WHERE customer_ref = ?", customer.customer_ref))
    # What a command came to is told to whoever sent it: it holds ids.
    query = "SELECT row, topic, sequence, body FROM events WHERE topic NOT IN (?, ?) ORDER BY row"
    waiting = [
        (row, topic, sequence, whose) for row, topic, sequence, body in store.read(query, GAP, REPLY) if (whose := _whose(body)) is not None
    ]
    snapshots = store.read("SELECT snapshot FROM alerts ORDER BY rowid")
    alerts = [alert for (snapshot,) in snapshots if (alert := _decoded(snapshot)) is not None]
    told: list[Any] = [*alerts, *(whose for *_, whose in waiting), *(event.data for event in held)]
    for one in told:
        call = getattr(one, "call", None)
        if call is not None and customer.owns(getattr(one, "customer_ref", None), getattr(one, "callback", None)):
            theirs[call] = None
    known = {call: (call, line, at) for call, line, at in store.read("SELECT call, line, started_at FROM calls WHERE ended IS NULL")}
    return Found(
        calls=tuple(theirs),
        rows=tuple((row, topic, sequence) for row, topic, sequence, whose in waiting if whose.call in theirs),
        alerts=tuple(alert for alert in alerts if alert.call in theirs),
        open_calls=tuple(known[call] for call in theirs if call in known),
    )


def _ended(alert: Alert) -> Event:
    """The last snapshot of an alert: that it is over, and nothing of whom and of what was said."""
    moment = now()
    blank: dict[str, Any] = dict.fromkeys(("customer_ref", "callback", "pbx_call_id", "queue", "agent_ref", "outcome_note"))
    reasons = [msgspec.structs.replace(reason, evidence=[], drivers=[]) for reason in alert.reasons]
    last = msgspec.structs.replace(
        alert, revision=alert.revision + 1, state=AlertState.END, end_reason=AlertEnd.ERASED, updated_at=moment, reasons=reasons, **blank
    )
    return Event(id=f"{last.alert}:{last.revision}", topic=f"alert/{last.route}", time=moment, data=last, alert_lane=True)


def _whose(body: object) -> _Whose | None:
    """Whose an event is; None for one that damage has made unreadable (whoever sends it finds that out)."""
    try:
        return _about.decode(body).data if isinstance(body, bytes) else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _decoded(snapshot: object) -> Alert | None:
    try:
        return _alert.decode(snapshot) if isinstance(snapshot, bytes) else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
