"""The words of a case: its states, what an attempt came to, what the whole came to. They go over the wire, so they are enums."""

from enum import StrEnum


class State(StrEnum):
    """Where a case is. `missed`, `reopened` and the like are marks beside it, not states."""

    OPEN = "open"
    CLAIMED = "claimed"
    CONTACTED = "contacted"
    CLOSED = "closed"


class Result(StrEnum):
    """What one attempt to reach the customer came to. It is no outcome."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    REACHED = "reached"
    CALL_BACK_AT = "call_back_at"
    REFUSED = "refused"
    DO_NOT_CONTACT = "do_not_contact"


# The customer was spoken to.
SPOKEN = frozenset({Result.REACHED, Result.CALL_BACK_AT, Result.REFUSED, Result.DO_NOT_CONTACT})


class Outcome(StrEnum):
    """What a case came to, asked for when it is closed."""

    RESOLVED = "resolved"
    PROMISED = "promised"
    COMPENSATED = "compensated"
    PASSED_ON = "passed_on"
    COULD_NOT_RESOLVE = "could_not_resolve"
    UNREACHABLE = "unreachable"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"


# What an outcome says of the alert: it was right, it was wrong; the others say nothing of it.
JUSTIFIED: dict[Outcome, bool] = {
    Outcome.RESOLVED: True,
    Outcome.PROMISED: True,
    Outcome.COMPENSATED: True,
    Outcome.PASSED_ON: True,
    Outcome.COULD_NOT_RESOLVE: True,
    Outcome.FALSE_ALARM: False,
}
# The same in words, for whoever closes a case and for whoever reads the share justified.
JUDGEMENTS: dict[str, list[Outcome]] = {
    says: [one for one in Outcome if JUSTIFIED.get(one) is judged]
    for says, judged in (("the alert was justified", True), ("it was not justified", False), ("says nothing of the alert", None))
}


class Kind(StrEnum):
    """What can be done about a case; the last ones by rules only."""

    OPENED = "opened"
    CLAIM = "claim"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    ASSIGN = "assign"
    ATTEMPT = "attempt"
    NOTE = "note"
    SNOOZE = "snooze"
    CLOSE = "close"
    REOPEN = "reopen"
    PROMISE = "promise"
    LINKED = "linked"
    DRAWN = "drawn"
    SHOWN = "shown"
    LAPSED = "lapsed"
    ESCALATED = "escalated"
    MISSED = "missed"


# Told beside the case; they change no version, so that nobody's form goes stale by them.
UNVERSIONED = frozenset({Kind.PROMISE, Kind.LINKED, Kind.DRAWN, Kind.SHOWN, Kind.ESCALATED, Kind.MISSED})

SEVERITIES = ("low", "medium", "high", "critical")
