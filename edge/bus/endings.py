"""How the box ends what a crash left open, and how it announces what it lost: events made from what was stored."""

import logging
from datetime import datetime

import msgspec

from edge.box.clock import now
from edge.bus.device import Gap
from edge.bus.events import Alert, Event, Failed, Started, Summary
from edge.bus.store import Store
from edge.bus.topics import GAP

_log = logging.getLogger("undertone.outbox")

# What MQTT refuses in a topic that is published on (MQTT 5, 4.7.1 and 1.5.4).
_NO_TOPIC = set("+#\0")


def keep_open(store: Store, event: Event) -> None:
    """Remember what a restart would have to end, and forget what has ended; inside a commit."""
    match event.data:
        case Started(call=call, line=line, started_at=started_at):
            store.execute("INSERT OR REPLACE INTO open_calls VALUES (?, ?, ?)", (call, line, started_at))
        case Summary(call=call) | Failed(call=call):
            store.execute("DELETE FROM open_calls WHERE call = ?", (call,))
        case Alert(state="end", alert=alert):
            store.execute("DELETE FROM open_alerts WHERE alert = ?", (alert,))
        case Alert(alert=alert) as snapshot:
            store.execute("INSERT OR REPLACE INTO open_alerts VALUES (?, ?, ?)", (alert, event.topic, msgspec.json.encode(snapshot)))


def forget(store: Store) -> None:
    """Forget everything that has not ended; inside a commit."""
    store.execute("DELETE FROM open_alerts")
    store.execute("DELETE FROM open_calls")


def ends(store: Store) -> list[Event]:
    """The end of everything that an earlier process left open: alerts, then calls.

    What damage made unreadable is forgotten, and the log says so: its alert is over when its last snapshot says (`expires_at`).
    """
    alerts = store.execute("SELECT rowid, snapshot, topic FROM open_alerts ORDER BY rowid").fetchall()
    calls = store.execute("SELECT rowid, call, line, started_at FROM open_calls ORDER BY rowid").fetchall()
    ended: list[Event] = []
    for table, end, rows in (("open_alerts", alert_after_crash, alerts), ("open_calls", call_after_crash, calls)):
        for row, *found in rows:
            try:
                event = end(*found)
                if _NO_TOPIC & set(event.topic):
                    raise ValueError("no topic")  # noqa: TRY301 (handled as any damage)
                ended.append(event)
            except (msgspec.MsgspecError, TypeError, ValueError) as error:
                store.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))  # noqa: S608 (one of two names of ours)
                _log.error("outbox.open_damaged table=%s error=%s", table, error)
    return ended


def alert_after_crash(snapshot: bytes, topic: str) -> Event:
    """The end of the alert whose last snapshot (JSON) was told on `topic`."""
    last = msgspec.json.decode(snapshot, type=Alert)
    # What outlives a damaged file must still be a time: how long to page is worked out from it.
    datetime.fromisoformat(last.expires_at)
    moment = now()
    ended = msgspec.structs.replace(last, revision=last.revision + 1, state="end", end_reason="restart", updated_at=moment)
    return Event(id=f"{last.alert}:{ended.revision}", topic=topic, time=moment, data=ended, alert_lane=True)


def call_after_crash(call: str, line: str, started_at: str) -> Event:
    """The end of a call that nobody heard to its end."""
    data = Failed(call=call, line=line, started_at=started_at, reason="restart")
    return Event(id=f"{call}:failed:1", topic=f"call/{line}/failed", time=now(), data=data)


def gap(topic: str, first: int, last: int, reason: str) -> Event:
    """Sequences `first`..`last` of `topic` will never come."""
    data = Gap(topic=topic, first=first, last=last, lost=last - first + 1, reason=reason)
    return Event(id=f"gap:{topic}:{first}-{last}", topic=GAP, time=now(), data=data)


def unknown_gap(topic: str, boot: int, reason: str) -> Event:
    """What was stored for `topic` is lost, and nobody knows how much it was."""
    data = Gap(topic=topic, first=None, last=None, lost=None, reason=reason)
    return Event(id=f"gap:{topic}:boot-{boot}", topic=GAP, time=now(), data=data)
