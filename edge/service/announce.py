"""What the box tells of itself through the outbox: changes of its models, its self-tests, and what its users say of its judgements."""

import hashlib
from collections.abc import Callable, Sequence
from itertools import count

import msgspec

from edge.clock import now
from edge.wire.commands import AlertFeedback, UtteranceFeedback
from edge.wire.device import Feedback, ModelChange, SelfTest
from edge.wire.events import Event
from edge.wire.topics import FEEDBACK, MODEL, SELFTEST


class Announcer:
    """Makes events and hands them to `put`, which commits. Each method for one thread."""

    def __init__(self, put: Callable[[Sequence[Event]], None], *, boot: int) -> None:
        self._put, self._boot = put, boot
        self._changes, self._tests = count(1), count(1)

    def model(self, change: ModelChange) -> None:
        """A model was installed, refused, put on probation, kept or rolled back."""
        event_id = f"model:{change.model}:{change.action}:{self._boot}:{next(self._changes)}"
        self._put([Event(id=event_id, topic=MODEL, time=now(), data=change)])

    def selftest(self, found: SelfTest) -> None:
        """The box tested itself."""
        self._put([Event(id=f"selftest:{self._boot}:{next(self._tests)}", topic=SELFTEST, time=now(), data=found)])


def feedback_event(said: UtteranceFeedback | AlertFeedback) -> Event:
    """The event of a feedback command; the same words twice have the same id, so that a subscriber counts them once."""
    match said:
        case UtteranceFeedback(call=call, n=n, label=label, by=by):
            data = Feedback(call=call, n=n, label=label, alert=None, justified=None, by=by)
        case AlertFeedback(alert=alert, justified=justified, by=by):
            # An alert's id begins with its call's.
            data = Feedback(call=alert.partition(":")[0], n=None, label=None, alert=alert, justified=justified, by=by)
    digest = hashlib.sha256(msgspec.json.encode(data)).hexdigest()[:16]
    return Event(id=f"feedback:{digest}", topic=FEEDBACK, time=now(), data=data)
