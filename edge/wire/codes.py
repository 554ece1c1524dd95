"""Words on the bus that say how a box is, what was lost and what was done; those that flow through a call are in edge.values."""

from edge.values import Code


class BoxState(Code):
    """How a box is."""

    ONLINE = "online", "All of it works."
    DEGRADED = "degraded", "It works, but not all of it: see reasons."
    STOPPED = "stopped", "Stopped on purpose."
    LOST = "lost", "Gone without a goodbye: the broker says so for it."


class CheckOutcome(Code):
    """How a check of the self-test ended."""

    GOOD = "good", "It works."
    SKIPPED = "skipped", "There is nothing to check."
    FAILED = "failed", "It does not work."


class CallFailure(Code):
    """Why a call could not be heard to its end."""

    RESTART = "restart", "The box was restarted, or crashed."
    ERASED = "erased", "Its customer was erased: nothing more is told of it."


class GapReason(Code):
    """How events were lost."""

    EVICTED = "evicted", "More was unsent than outbox_max_mb; the oldest go first, alerts never."
    NOT_STORED = "not_stored", "The disk took nothing for so long that memory did not suffice."
    ERASED = "erased", "Erased by hand or with their customer, or older than keep_days. What was on its way may have come."
    DAMAGED = "damaged", "The disk changed that event."
    UNCERTAIN = (
        "uncertain",
        "The disk gave back an older file, or a spoilt counter: these are left out, and some may have come.",
    )
    STORE_DAMAGED = "store_damaged", "The box's file was damaged and set aside; nobody knows what was in it."


class NoTrend(Code):
    """Why a call has no trend."""

    INSUFFICIENT = "insufficient", "Too few judged utterances, or too short a time."


class Severity(Code):
    """How urgent, from 1 to 4."""

    LOW = "low", "1: worth knowing."
    MEDIUM = "medium", "2: worth a call back today."
    HIGH = "high", "3: worth a call back now."
    CRITICAL = "critical", "4: before anything else."

    @property
    def level(self) -> int:
        """1 to 4, the gravest highest."""
        return list(Severity).index(self) + 1


class AlertState(Code):
    """Where an alert stands."""

    NEW = "new", "Told to this route for the first time, or again after it had ended: page, until page_until."
    UPDATE = "update", "Something about it changed; page again only where severity_level has risen."
    END = "end", "Page nobody any more; end_reason says why, and whether answers are still taken."


class AlertEnd(Code):
    """Why an alert ended."""

    CALL_OVER = "call_over", "The call is over, and nothing more comes of it. Answers are taken until answerable_until."
    EXPIRED = "expired", "page_until had passed before it could be told. Answers are taken until answerable_until."
    MOVED = "moved", "A graver reason made it another team's (moved_to): it goes on there under the same id."
    WITHDRAWN = "withdrawn", "What was heard later took every reason back before anybody took it up."
    CLOSED = "closed", "A person closed it, with an outcome."
    ERASED = "erased", "Its customer was erased: it takes no answers, and whoever has a copy erases it."


class ReplyReason(Code):
    """Why a command was not taken; or, where it was, that there was nothing left to do."""

    ALREADY = "already", "It was so before (by, at): nothing has changed."
    NOT_UNDERSTOOD = "not_understood", "Not what docs/bus.md says of this topic: no JSON, a field that is missing, wrong or unknown."
    UNKNOWN_COMMAND = "unknown_command", "There is no such command."
    UNKNOWN_LINE = "unknown_line", "This box has no line of that name."
    BY_CONNECTION = "by_connection", "Calls of that line begin and end with their connections; or it takes no announced ones."
    NO_CALL = "no_call", "No call is open on that line."
    UNKNOWN_CALL = "unknown_call", "No call that is open on that line, or whose alert can still be answered, has that name."
    OTHER_CUSTOMER = "other_customer", "The open call is another customer's. Name the call that is meant (call or pbx_call_id)."
    UNKNOWN_ALERT = "unknown_alert", "This box has no alert of that id, or has none any more."
    UNKNOWN_UTTERANCE = "unknown_utterance", "This box knows no such utterance, or knows it no more."
    UNKNOWN_OUTCOME = "unknown_outcome", "The outcome is none of the configured ones."
    TAKEN = "taken", "Somebody else has it (by, at); take_over takes it from them."
    CLOSED = "closed", "It is closed (by, at)."
    WITHDRAWN = "withdrawn", "The box took it back: what was heard later speaks against it."
    TOO_LATE = "too_late", "Its time to be answered (answerable_until) is over."
    WRONG_REVISION = "wrong_revision", "The alert has changed since expected_revision; revision says where it is now."
    BUSY = "busy", "Too much of it at once: send it again."


class AlertVerb(Code):
    """What somebody did about an alert."""

    ACK = "ack", "Took it."
    CONTACTED = "contacted", "Spoke to the customer."
    CLOSE = "close", "Is done with it."


class ModelAction(Code):
    """What became of a model."""

    RECEIVING = "receiving", "It is coming over the bus."
    INSTALLED = "installed", "It passed the box's checks and serves from the next call on."
    REFUSED = "refused", "It was not taken; what served before serves on."
    PROBATION = "probation", "It serves, and is compared with the one before it."
    KEPT = "kept", "It stays."
    ROLLED_BACK = "rolled_back", "The one before it serves again."
    PINNED = "pinned", "By hand: installs replace it no more, or do again."
