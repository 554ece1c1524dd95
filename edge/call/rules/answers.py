"""What people do about an alert, as its next snapshot and as what they are answered.

Pure: the last snapshot is all that it needs, so that an alert can outlive its call and a restart.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec

from edge.clock import rfc3339
from edge.wire.codes import AlertEnd, AlertState, AlertVerb, ReplyReason
from edge.wire.commands import AlertAction
from edge.wire.context import Context
from edge.wire.events import Alert
from edge.wire.replies import Answer, refused

# What a context may say of a call that its alert repeats.
_REPEATED = ("pbx_call_id", "customer_ref", "queue", "callback", "agent_ref")


def answered(alert: Alert, action: AlertAction, now: datetime, outcomes: Collection[str]) -> tuple[Alert | None, Answer]:
    """The snapshot that echoes `action`, None where nothing changes; and what to answer. `outcomes` are those that a close may give.

    The first acknowledgement wins: who comes second is told who has it, unless they take it over.
    """
    if (there_already := _done_before(alert, action)) is not None:
        return None, there_already
    if (refusal := _refusal(alert, now)) is not None:
        return None, refusal
    if action.expected_revision not in (None, alert.revision):
        return None, _refused(alert, ReplyReason.WRONG_REVISION)
    if action.action is AlertVerb.ACK and alert.acknowledged_by is not None and not action.take_over:
        return None, _refused(alert, ReplyReason.TAKEN, alert.acknowledged_by, alert.acknowledged_at)
    if action.action is AlertVerb.CLOSE and action.outcome is not None and action.outcome not in outcomes:
        return None, _refused(alert, ReplyReason.UNKNOWN_OUTCOME)
    told = revised(alert, now, **_changes(action, rfc3339(now)))
    return told, Answer(call=told.call, alert=told.alert, revision=told.revision)


def named(alert: Alert, context: Context, now: datetime) -> tuple[Alert | None, Answer]:
    """The snapshot of an alert whose call is over once more is known of whose it was, None where nothing changes; and what to answer."""
    if (refusal := _refusal(alert, now)) is not None:
        return None, refusal
    known = {name: value for name, value in context.known().items() if name in _REPEATED and value != getattr(alert, name)}
    if not known:
        return None, Answer(reason=ReplyReason.ALREADY, call=alert.call, alert=alert.alert, revision=alert.revision)
    told = revised(alert, now, **known)
    return told, Answer(call=told.call, alert=told.alert, revision=told.revision)


def revised(alert: Alert, now: datetime, **changes: object) -> Alert:
    """The next snapshot of `alert`, with `changes`; what has ended stays so unless they say otherwise."""
    state = AlertState.END if alert.state is AlertState.END else AlertState.UPDATE
    return msgspec.structs.replace(alert, **{"state": state, "revision": alert.revision + 1, "updated_at": rfc3339(now), **changes})


def _changes(action: AlertAction, moment: str) -> dict[str, object]:
    match action.action:
        case AlertVerb.ACK:
            return {"acknowledged_at": moment, "acknowledged_by": action.by}
        case AlertVerb.CONTACTED:
            return {"contacted_at": moment, "contacted_by": action.by}
        case AlertVerb.CLOSE:
            done = {"closed_at": moment, "closed_by": action.by, "outcome": action.outcome, "outcome_note": action.note}
            return {"state": AlertState.END, "end_reason": AlertEnd.CLOSED, **done}


def _done_before(alert: Alert, action: AlertAction) -> Answer | None:
    """That it was so already: the same person says it again, or the customer has been spoken to."""
    by, at = {
        AlertVerb.ACK: (alert.acknowledged_by, alert.acknowledged_at),
        AlertVerb.CONTACTED: (alert.contacted_by, alert.contacted_at),
        AlertVerb.CLOSE: (alert.closed_by, alert.closed_at),
    }[action.action]
    same = by == action.by or action.action is AlertVerb.CONTACTED
    again = action.action is not AlertVerb.CLOSE or (action.outcome, action.note) == (alert.outcome, alert.outcome_note)
    over = alert.end_reason is AlertEnd.CLOSED and action.action is not AlertVerb.CLOSE
    if by is None or not same or not again or over:
        return None
    return Answer(reason=ReplyReason.ALREADY, call=alert.call, alert=alert.alert, revision=alert.revision, by=by, at=at)


def _refusal(alert: Alert, now: datetime) -> Answer | None:
    """Why nothing can be said of `alert` any more; None where it can."""
    if alert.end_reason is AlertEnd.CLOSED:
        return _refused(alert, ReplyReason.CLOSED, alert.closed_by, alert.closed_at)
    if alert.end_reason is AlertEnd.WITHDRAWN:
        return _refused(alert, ReplyReason.WITHDRAWN, at=alert.updated_at)
    if now >= datetime.fromisoformat(alert.answerable_until):
        return _refused(alert, ReplyReason.TOO_LATE, at=alert.answerable_until)
    return None


def _refused(alert: Alert, reason: ReplyReason, by: str | None = None, at: str | None = None) -> Answer:
    return refused(reason, call=alert.call, alert=alert.alert, revision=alert.revision, by=by, at=at)
