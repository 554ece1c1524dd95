"""What the recovery team says of utterances and alerts, from the command topic to an event that is kept until it is told."""

import hashlib

import msgspec

from edge.box.clock import now
from edge.bus.commands import AlertFeedback, UtteranceFeedback
from edge.bus.device import Feedback
from edge.bus.events import Event
from edge.bus.topics import FEEDBACK


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
