"""What a box has alerted about lately: the alert budget, and who has been alerted about already."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge.wire.context import Customer

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    at: datetime
    call: str
    rule: str
    customer_ref: str | None


class AlertHistory:
    """What was alerted about on a box in the last day. Shared by its lines: every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: deque[_Opened] = deque()

    def opened(self, at: datetime, call: str, rule: str, customer_ref: str | None) -> None:
        """`rule` became a reason of the alert of `call`, about `customer_ref` (None: nobody known)."""
        with self._lock:
            self._opened.append(_Opened(at=at, call=call, rule=rule, customer_ref=customer_ref))
            while self._opened and self._opened[0].at < at - _DAY:
                self._opened.popleft()

    def calls_in_last_hour(self, at: datetime, *, but: str) -> int:
        """Calls alerted about in the hour before `at`, `but` left out: a team's attention is asked for once a call."""
        with self._lock:
            return len({one.call for one in self._opened if at - _HOUR < one.at <= at and one.call != but})

    def forget(self, customer: Customer) -> None:
        """Of whom it was is forgotten; that there was an alert still counts against the budget."""
        with self._lock:
            self._opened = deque(replace(one, customer_ref=None) if customer.owns(one.customer_ref, None) else one for one in self._opened)

    def alerted_since(self, since: datetime, rule: str, customer_ref: str | None) -> bool:
        """Whether `rule` has alerted about this very customer since then; an unknown customer is never the same one."""
        if customer_ref is None:
            return False
        with self._lock:
            return any(one.at >= since and (one.rule, one.customer_ref) == (rule, customer_ref) for one in self._opened)
