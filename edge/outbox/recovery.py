"""Calls and alerts as rows beside the events: what a restart has to end, what can still be answered, and what feedback may be about."""

import logging
import time
from datetime import datetime

import msgspec

from edge.clock import now
from edge.outbox.store import Store
from edge.wire.codes import AlertEnd, AlertState, CallFailure
from edge.wire.events import Alert, Event, Failed, Started, Summary, Updated, UtteranceHeard

_log = logging.getLogger("undertone.outbox")

# What MQTT refuses in a topic that is published on (MQTT 5, 4.7.1 and 1.5.4).
_NO_TOPIC = set("+#\0")
# Who listens to old calls does so within two weeks; and who answers an alert two weeks too late is told that, not that there was none.
_CALLS_KEPT_S = 14 * 86_400.0


def keep(store: Store, event: Event) -> None:
    """Remember what `event` says of its call or alert; inside a commit."""
    match event.data:
        case Started(call=call, line=line, started_at=started_at, pbx_call_id=pbx, customer_ref=customer):
            store.execute("INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, 0, NULL, ?)", (call, line, started_at, pbx, customer))
        case Updated(call=call, pbx_call_id=pbx, customer_ref=customer):
            store.execute("UPDATE calls SET pbx_call_id = ?, customer_ref = ? WHERE call = ?", (pbx, customer, call))
        case UtteranceHeard(call=call, n=n):
            store.execute("UPDATE calls SET utterances = MAX(utterances, ?) WHERE call = ?", (n, call))
        case Summary(call=call) | Failed(call=call):
            store.execute("UPDATE calls SET ended = ? WHERE call = ?", (time.time(), call))
            store.execute("DELETE FROM calls WHERE ended < ?", (time.time() - _CALLS_KEPT_S,))
            store.execute("DELETE FROM alerts WHERE until < ?", (time.time() - _CALLS_KEPT_S,))
        case Alert() as alert:
            # Closed or not: who answers late is told what is true until then.
            until = datetime.fromisoformat(alert.answerable_until).timestamp()
            columns = (alert.alert, alert.call, alert.line, time.time(), until, msgspec.json.encode(alert))
            told = "told = excluded.told, until = excluded.until, snapshot = excluded.snapshot"
            store.execute(f"INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (alert) DO UPDATE SET {told}", columns)  # noqa: S608


def forget(store: Store, before: float | None = None) -> None:
    """Forget calls and alerts, or those that ended or were last told of `before` (Unix seconds); inside a commit."""
    limit = float("inf") if before is None else before
    store.execute("DELETE FROM alerts WHERE told < ?", (limit,))
    store.execute("DELETE FROM calls WHERE COALESCE(ended, ?) < ?", (float("-inf") if before is None else float("inf"), limit))


def ends(store: Store) -> list[Event]:
    """The end of every call that an earlier process left open, and of what its alert can tell (`call_over`): alerts, then calls.

    What damage made unreadable is forgotten, and the log says so.
    """
    alerts = store.execute("SELECT rowid, snapshot FROM alerts ORDER BY rowid").fetchall()
    calls = store.execute("SELECT rowid, call, line, started_at FROM calls WHERE ended IS NULL ORDER BY rowid").fetchall()
    ended: list[Event] = []
    for table, end, rows in (("alerts", alert_after_crash, alerts), ("calls", call_ended, calls)):
        for row, *found in rows:
            try:
                if (event := end(*found)) is None:
                    continue
                if _NO_TOPIC & set(event.topic):
                    raise ValueError("no topic")  # noqa: TRY301 (handled as any damage)
                ended.append(event)
            except (msgspec.MsgspecError, TypeError, ValueError) as error:
                store.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))  # noqa: S608 (one of two names of ours)
                _log.error("outbox.open_damaged table=%s error=%s", table, error)
    return ended


def alert_after_crash(snapshot: bytes) -> Event | None:
    """The end of the alert whose last snapshot (JSON) this is: its call is over, answers are taken. None where it had ended."""
    last = msgspec.json.decode(snapshot, type=Alert)
    # What outlives a damaged file must still be a time: how long to page is worked out from it.
    datetime.fromisoformat(last.page_until)
    if last.state is AlertState.END:
        return None
    moment = now()
    ended = msgspec.structs.replace(
        last, revision=last.revision + 1, state=AlertState.END, end_reason=AlertEnd.CALL_OVER, updated_at=moment
    )
    return Event(id=f"{last.alert}:{ended.revision}", topic=f"alert/{last.route}", time=moment, data=ended, alert_lane=True)


def answerable_alerts(store: Store, at: datetime) -> list[Alert]:
    """The last snapshots of the alerts that still take answers, in the order in which they were opened; what is damaged is left out."""
    found = []
    for (snapshot,) in store.read("SELECT snapshot FROM alerts WHERE until > ? ORDER BY rowid", at.timestamp()):
        try:
            alert = msgspec.json.decode(snapshot, type=Alert)
        except (msgspec.MsgspecError, TypeError) as error:
            _log.error("outbox.open_damaged table=alerts error=%s", error)
            continue
        if alert.end_reason not in (AlertEnd.CLOSED, AlertEnd.WITHDRAWN):
            found.append(alert)
    return found


def call_ended(call: str, line: str, started_at: str, reason: CallFailure = CallFailure.RESTART) -> Event:
    """The end of a call that nobody heard to its end."""
    data = Failed(call=call, line=line, started_at=started_at, reason=reason)
    return Event(id=f"{call}:failed:1", topic=f"call/{line}/failed", time=now(), data=data)


def alert_of(store: Store, *, alert: str | None, call: str | None) -> Alert | None:
    """The last snapshot of an alert, by its own id or its call's; None where there is none. Damaged ones are none, and the log says so."""
    for row, snapshot in store.read("SELECT rowid, snapshot FROM alerts WHERE alert = ? OR call = ?", alert, call):
        try:
            return msgspec.json.decode(snapshot, type=Alert)
        except (msgspec.MsgspecError, TypeError) as error:
            _log.error("outbox.open_damaged table=alerts row=%d error=%s", row, error)
    return None


def call_named(store: Store, line: str, pbx_call_id: str) -> str | None:
    """The call on `line` that the switchboard calls so, the latest if there were several; None where none was."""
    # A line that listens has its calls on lines of their own, `line/1` and so on.
    of_line = "(line = ? OR substr(line, 1, length(?)) = ?)"
    query = f"SELECT call FROM calls WHERE {of_line} AND pbx_call_id = ? ORDER BY rowid DESC LIMIT 1"  # noqa: S608 (no input in it)
    found = store.read(query, line, f"{line}/", f"{line}/", pbx_call_id)
    return found[0][0] if found else None


def utterances_of(store: Store, call: str) -> int:
    """How many utterances `call` has had; 0 for one that nobody knows."""
    found = store.read("SELECT utterances FROM calls WHERE call = ?", call)
    return found[0][0] if found and isinstance(found[0][0], int) else 0
