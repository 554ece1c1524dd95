"""What became of each command, told to whoever waits for it, and to the broker: its effect is on the disk by then."""

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from edge.clock import now
from edge.wire.events import Event
from edge.wire.replies import Answer, Request, reply
from edge.wire.topics import REPLY


class Answers:
    """Thread-safe. `put` commits events; `respond` sends one on a request's own response topic."""

    def __init__(self, put: Callable[[Sequence[Event]], None], respond: Callable[[Request, Event], None], *, boot: int) -> None:
        self._put, self._respond, self._boot = put, respond, boot
        self._count = count(1)

    def give(self, request: Request, answer: Answer, events: Iterable[Event] = ()) -> None:
        """Commit what the command has brought about together with its reply, then tell who waits, and the broker."""
        told = list(events)
        if request.wants_reply:
            event = Event(id=f"reply:{self._boot}:{next(self._count)}", topic=REPLY, time=now(), data=reply(request, answer))
            if request.command.id is not None:
                told.append(event)
        if told:
            self._put(told)
        if request.wants_reply:
            self._respond(request, event)
        request.done()
