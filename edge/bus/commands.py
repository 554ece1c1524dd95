"""What the bus may ask of a box: typed, validated, bounded in size and rate. None of it can run a program or name a file.

undertone-cmd/v1/<site>/<device>/call/<line>/start      {}
undertone-cmd/v1/<site>/<device>/call/<line>/end        {}
undertone-cmd/v1/<site>/<device>/call/<line>/context    {"customer_ref": ..., "queue": ..., "notice_given": ...}
undertone-cmd/v1/<site>/<device>/alert/ack              {"alert": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/alert/contacted        {"alert": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/alert/close            {"alert": ..., "by": ..., "outcome": ...}
undertone-cmd/v1/<site>/<device>/selftest/run           {}
undertone-cmd/v1/<site>/<device>/feedback/utterance     {"call": ..., "n": ..., "label": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/feedback/alert         {"alert": ..., "justified": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/model/install          {"model": ..., "sha256": ..., "size": ..., "offset": ..., "data": base64}
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from edge.errors import one_line

# 128 characters without control characters: a case number, a queue, a person; not a text.
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]

# Commands about calls and alerts are a few hundred bytes.
_MAX_BYTES = 4096
# A chunk of a model: 256 KiB of bytes in base64, and its envelope.
_MAX_CHUNK_BYTES = 400_000
# What is larger than any bundle is refused by the box's own checks, which tell the bus why; this is larger than any disk of a box.
_MAX_MODEL_BYTES = 10**13
# msgspec's reasons have under 100 characters, and a key.
_REASON_CHARS = 200
# A switchboard may start and end the calls of several lines at once; a person never clicks this fast.
_BURST, _PER_SECOND = 50, 20.0


class _Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all commands."""


class CallStart(_Command, frozen=True, kw_only=True):
    """A call begins now on `line`."""

    line: str = ""


class CallEnd(_Command, frozen=True, kw_only=True):
    """The call on `line` is over."""

    line: str = ""


class CallContext(_Command, frozen=True, kw_only=True):
    """What the switchboard knows of the call on `line`; None leaves what was known."""

    line: str = ""
    customer_ref: Label | None = None
    queue: Label | None = None
    notice_given: bool | None = None


class AlertAction(_Command, frozen=True, kw_only=True):
    """What the recovery team did about an alert (its id, as in the alert event)."""

    alert: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    action: Literal["ack", "contacted", "close"] = "ack"
    by: Label
    outcome: Label | None = None


class SelfTestRun(_Command, frozen=True, kw_only=True):
    """Test yourself now; the result comes as a `selftest` event."""


class UtteranceFeedback(_Command, frozen=True, kw_only=True):
    """What a person who listened, or asked the customer, says of an utterance (its call and number, as in its event)."""

    call: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    n: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    label: Literal["negative", "neutral", "positive"]
    by: Label


class AlertFeedback(_Command, frozen=True, kw_only=True):
    """Whether an alert (its id, as in its event) was about a customer who had something to complain of."""

    alert: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    justified: bool
    by: Label


class ModelInstall(_Command, frozen=True, kw_only=True):
    """One chunk of a packed bundle: `data` from byte `offset` of `size`. The bundle's own checks decide about it."""

    model: Literal["voice", "words", "fusion", "vosk"]
    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=1, le=_MAX_MODEL_BYTES)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=_MAX_MODEL_BYTES)]
    data: bytes
    expires_at: Annotated[str, msgspec.Meta(max_length=40)] | None = None


Command = CallStart | CallEnd | CallContext | AlertAction | SelfTestRun | UtteranceFeedback | AlertFeedback | ModelInstall


class Refused(ValueError):  # noqa: N818 (an answer, not a failure)
    """A command that this box does not take; the message says why, in one line, without the command's values."""

    def __init__(self, reason: str) -> None:
        # A key that nobody knows is named, and may be made to look like another line of the log, or fill it.
        super().__init__(one_line(reason)[:_REASON_CHARS])


_CALL = re.compile(r"call/(?P<line>[A-Za-z0-9][A-Za-z0-9._-]{0,63})/(?P<verb>start|end|context)")
_CALLS: dict[str, type[CallStart | CallEnd | CallContext]] = {"start": CallStart, "end": CallEnd, "context": CallContext}
_FEEDBACK: dict[str, type[UtteranceFeedback | AlertFeedback]] = {
    "feedback/utterance": UtteranceFeedback,
    "feedback/alert": AlertFeedback,
}
_ALERT = re.compile(r"alert/(?P<action>ack|contacted|close)")


def parse(topic: str, payload: bytes) -> Command:
    """The command said on `topic` (without the box's prefix) with a JSON `payload`; an empty one is {}. Raises Refused."""
    body = payload.strip() or b"{}"
    try:
        if call := _CALL.fullmatch(topic):
            command = msgspec.json.decode(body, type=_CALLS[call["verb"]])
            return msgspec.structs.replace(command, line=call["line"])
        if alert := _ALERT.fullmatch(topic):
            action = msgspec.json.decode(body, type=AlertAction)
            return msgspec.structs.replace(action, action=alert["action"])
        if topic == "selftest/run":
            return msgspec.json.decode(body, type=SelfTestRun)
        if topic in _FEEDBACK:
            return msgspec.json.decode(body, type=_FEEDBACK[topic])
        if topic == "model/install":
            chunk = msgspec.json.decode(body, type=ModelInstall)
            if chunk.offset + len(chunk.data) > chunk.size:
                raise Refused("the chunk reaches beyond the model's size")
            return chunk
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec names the field and what is wrong with it, never the value.
        raise Refused(str(error)) from error
    raise Refused("unknown command")


class Gate:
    """Says whether an incoming message may be looked at: not retained, not too large, not too many. Thread-safe, never waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._tokens, self._filled_at = float(_BURST), clock()

    def refusal(self, topic: str, size: int, *, retained: bool) -> str | None:
        """Why not, in one line; None where it may pass."""
        if retained:
            return "retained; a command is for now: clear it from the broker and send it again without retain"
        limit = _MAX_CHUNK_BYTES if topic.endswith("/model/install") else _MAX_BYTES
        if size > limit:
            return f"{size} bytes; at most {limit} are taken"
        with self._lock:
            now = self._clock()
            self._tokens = min(_BURST, self._tokens + (now - self._filled_at) * _PER_SECOND)
            self._filled_at = now
            if self._tokens < 1:
                return f"more than {_PER_SECOND:.0f} commands a second"
            self._tokens -= 1
        return None
