"""What is known of calls and alerts by what was told of them, whether the disk has it yet or not."""

from datetime import UTC, datetime
from threading import RLock

from edge.outbox import recovery
from edge.outbox.memory_buffer import MemoryBuffer
from edge.outbox.store import Store
from edge.wire.events import Alert, UtteranceHeard


class Records:
    """Thread-safe, by the outbox's own lock."""

    def __init__(self, store: Store, held: MemoryBuffer, lock: RLock) -> None:
        self._store, self._held, self._lock = store, held, lock

    def answerable_alerts(self) -> list[Alert]:
        """The last snapshots of the alerts that still take answers."""
        with self._lock:
            return recovery.answerable_alerts(self._store, datetime.now(UTC))

    def last_alert(self, *, alert: str | None = None, call: str | None = None) -> Alert | None:
        """An alert as it was told last, by its own id or its call's; None where nobody knows it, or knows it no more."""
        with self._lock:
            for arrived in reversed(self._held):
                data = arrived.event.data
                if isinstance(data, Alert) and (data.alert == alert or data.call == call):
                    return data
            return recovery.alert_of(self._store, alert=alert, call=call)

    def call_named(self, line: str, pbx_call_id: str) -> str | None:
        """The id of the call on `line` that the switchboard calls so; None where there was none, or it is forgotten."""
        with self._lock:
            return recovery.call_named(self._store, line, pbx_call_id)

    def has_utterance(self, call: str, n: int) -> bool:
        """Whether `call` has had an utterance of number `n`, as far as is known yet."""
        with self._lock:
            waiting = (one.event.data for one in self._held)
            held = any(isinstance(data, UtteranceHeard) and (data.call, data.n) == (call, n) for data in waiting)
            return held or n <= recovery.utterances_of(self._store, call)
