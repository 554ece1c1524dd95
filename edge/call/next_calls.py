"""What the switchboard has said of calls that have not begun."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.wire.context import Context, Customer

# A line has one next call; a switchboard that announces many, or names that are never rung, fills no memory.
_MOST_ANNOUNCED = 16


@dataclass(frozen=True, slots=True)
class _Announced:
    context: Context
    until: float


class NextCalls:
    """What was said of calls that have not begun on a line, each for `keep_s` seconds. Owned by one thread.

    What names a call of the switchboard's waits for that one. What names none is of whichever is next.
    """

    def __init__(self, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s, self._clock = keep_s, clock
        # By the switchboard's id; None: by nobody's. The latest said of stands last.
        self._announced: dict[str | None, _Announced] = {}

    def add(self, context: Context) -> None:
        """Something more is known of a call to come; what is about another customer takes the place of what was known."""
        self._forget()
        name = context.pbx_call_id
        before = self._announced.pop(name, None)
        if before is not None and not before.context.contradicts(context):
            context = before.context.merged(context)
        self._announced[name] = _Announced(context, self._clock() + self._keep_s)
        while len(self._announced) > _MOST_ANNOUNCED:
            del self._announced[next(iter(self._announced))]

    def take(self, opening: Context) -> Context:
        """What is known of the call that begins now and of which `opening` is known: it is forgotten here."""
        self._forget()
        known, name = opening, opening.pbx_call_id
        if name is None:
            # The call that was spoken of last is the one that comes; those before it never did.
            named = [one for one in self._announced if one is not None]
            name = named[-1] if named else None
            for never in named[:-1]:
                del self._announced[never]
        for key in (name, None):
            held = self._announced.get(key)
            if held is not None and not held.context.contradicts(known):
                known = held.context.merged(known)
                del self._announced[key]
        return known

    def forget(self, customer: Customer) -> int:
        """Nothing more is known of the calls to come of `customer`; how many that were."""
        kept = {name: one for name, one in self._announced.items() if not customer.owns(one.context.customer_ref, one.context.callback)}
        gone, self._announced = len(self._announced) - len(kept), kept
        return gone

    def _forget(self) -> None:
        now = self._clock()
        self._announced = {name: held for name, held in self._announced.items() if held.until > now}
