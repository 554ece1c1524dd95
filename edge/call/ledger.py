"""What a box has alerted about lately: the alert budget, and who has been alerted about already."""

import threading
from collections import deque
from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Ledger:
    """Alerts opened on a box in the last day. Shared by its lines: every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: deque[tuple[datetime, str, str | None]] = deque()

    def opened(self, at: datetime, rule: str, customer_ref: str | None) -> None:
        """An alert of `rule` about `customer_ref` (None: nobody known) was opened."""
        with self._lock:
            self._opened.append((at, rule, customer_ref))
            while self._opened and self._opened[0][0] < at - _DAY:
                self._opened.popleft()

    def last_hour(self, at: datetime) -> int:
        """Alerts opened in the hour before `at`."""
        with self._lock:
            return sum(at - _HOUR < opened <= at for opened, _, _ in self._opened)

    def alerted_since(self, since: datetime, rule: str, customer_ref: str | None) -> bool:
        """Whether `rule` has alerted about this very customer since then; an unknown customer is never the same one."""
        if customer_ref is None:
            return False
        with self._lock:
            return any(opened >= since and (rule, customer_ref) == what for opened, *rest in self._opened for what in [tuple(rest)])
