"""Calls that the switchboard has announced, by the UUIDs that its connections will bring: AudioSocket has no other way to know anybody."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.values import Role
from edge.wire.commands import CallAnnounce
from edge.wire.context import Context, Customer

# A switchboard that announces calls that never come fills no memory: the oldest go.
_MOST = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A call to come: which connection is whose voice, and whose call it is."""

    media: Mapping[str, Role]
    context: Context


class Announced:
    """The calls to come of one line, each for `keep_s` seconds. For any thread."""

    def __init__(self, keep_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_s, self._clock, self._lock = keep_s, clock, threading.Lock()
        self._calls: list[tuple[float, Announcement]] = []

    def add(self, command: CallAnnounce) -> Announcement:
        """A call will come. What shares a UUID with it is replaced: announced twice is announced anew."""
        media = {uuid.lower(): role for role, uuid in command.sides().items()}
        context = Context.of(command)
        if context.pbx_call_id is None:
            # So that whoever has the one finds the other.
            context = Context(pbx_call_id=next(iter(media))).merged(context)
        one = Announcement(media=media, context=context)
        with self._lock:
            self._forget()
            self._calls = [(until, other) for until, other in self._calls if not media.keys() & other.media.keys()]
            self._calls = [*self._calls[1 - _MOST :], (self._clock() + self._keep_s, one)]
        return one

    def find(self, media: str) -> Announcement | None:
        """The call that a connection with this UUID belongs to; None where none was announced."""
        with self._lock:
            self._forget()
            return next((one for _, one in self._calls if media in one.media), None)

    def take(self, announcement: Announcement) -> None:
        """The call has come: nobody else may bring it."""
        with self._lock:
            self._calls = [(until, one) for until, one in self._calls if one is not announcement]

    def forget(self, customer: Customer) -> int:
        """The calls to come of `customer` were never announced; how many that were."""
        with self._lock:
            kept = [(until, one) for until, one in self._calls if not customer.owns(one.context.customer_ref, one.context.callback)]
            gone, self._calls = len(self._calls) - len(kept), kept
        return gone

    def _forget(self) -> None:
        now = self._clock()
        self._calls = [(until, one) for until, one in self._calls if until > now]
