"""A command as it came, and what became of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from edge.wire.codes import ReplyReason
from edge.wire.commands import Command, Refused
from edge.wire.device import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command (`topic` without the box's prefix), or why it is none. `response_topic` and `correlation` are MQTT 5's; None without.

    `done` tells the broker that it need not be sent again (PUBACK); for any thread, once its effect is stored.
    """

    topic: str
    command: Command | Refused
    response_topic: str | None = None
    correlation: bytes | None = None
    done: Callable[[], None] = lambda: None

    @property
    def wants_reply(self) -> bool:
        """Whether anybody waits for an answer."""
        return self.command.id is not None or self.response_topic is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command. `by` and `at` say who was there before, where that is the reason; `revision` is the alert's now."""

    reason: ReplyReason | None = None
    accepted: bool = True
    call: str | None = None
    alert: str | None = None
    revision: int | None = None
    by: str | None = None
    at: str | None = None


def refused(
    reason: ReplyReason,
    *,
    call: str | None = None,
    alert: str | None = None,
    revision: int | None = None,
    by: str | None = None,
    at: str | None = None,
) -> Answer:
    """A command that was not taken."""
    return Answer(accepted=False, reason=reason, call=call, alert=alert, revision=revision, by=by, at=at)


def reply(request: Request, answer: Answer) -> Reply:
    """The wire form of `answer`."""
    return Reply(command=request.topic, id=request.command.id, **asdict(answer))
