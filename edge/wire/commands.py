"""What the bus may ask of a box: typed and validated (how much and how often: edge.mqtt.gate). None of it can run a program or name a file.

undertone-cmd/v1/<site>/<device>/call/<line>/start      {"customer_ref": ..., "queue": ..., "notice_given": ..., ...}
undertone-cmd/v1/<site>/<device>/call/<line>/end        {}
undertone-cmd/v1/<site>/<device>/call/<line>/context    {"call": ..., "customer_ref": ..., "queue": ..., "notice_given": ..., ...}
undertone-cmd/v1/<site>/<device>/call/<line>/announce   {"media": {"customer": UUID, "agent": UUID}, "customer_ref": ..., ...}
undertone-cmd/v1/<site>/<device>/alert/ack              {"alert": ..., "by": ..., "take_over": ...}
undertone-cmd/v1/<site>/<device>/alert/contacted        {"alert": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/alert/close            {"alert": ..., "by": ..., "outcome": ..., "note": ...}
undertone-cmd/v1/<site>/<device>/selftest/run           {}
undertone-cmd/v1/<site>/<device>/feedback/utterance     {"call": ..., "n": ..., "label": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/feedback/alert         {"alert": ..., "justified": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/customer/erase         {"customer_ref": ..., "callback": ..., "by": ...}
undertone-cmd/v1/<site>/<device>/model/install          {"model": ..., "sha256": ..., "size": ..., "offset": ..., "data": base64}

Each may carry an `id`, and is then answered (edge.wire.replies).
"""

import re
from typing import Annotated

import msgspec

from edge.values import ModelKind, Polarity, Role
from edge.wire.codes import AlertVerb, ReplyReason

# 128 characters without control characters: a case number, a queue, a person; not a text.
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
# A sentence or two about what came of it.
Note = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
CallId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
# As Asterisk's UUID() makes it.
MediaId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
AlertId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

# What is larger than any bundle is refused by the box's own checks, which tell the bus why; this is larger than any disk of a box.
_MAX_MODEL_BYTES = 10**13
_MAX_REVISION = 10**9


class _Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all commands."""

    id: Label | None = None


class CallFacts(_Command, frozen=True, kw_only=True):
    """What the switchboard knows of a call; None leaves what was known. `callback` is the number to call the customer back on."""

    pbx_call_id: Label | None = None
    customer_ref: Label | None = None
    queue: Label | None = None
    notice_given: bool | None = None
    callback: Label | None = None
    agent_ref: Label | None = None


class CallStart(CallFacts, frozen=True, kw_only=True):
    """A call begins now on `line`."""

    line: str = ""


class CallEnd(_Command, frozen=True, kw_only=True):
    """The call on `line` is over."""

    line: str = ""


class CallContext(CallFacts, frozen=True, kw_only=True):
    """What the switchboard knows of a call on `line`: that named by `call` (our id) or `pbx_call_id`, else the one open, else the next."""

    line: str = ""
    call: CallId | None = None


class MediaIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The UUID of the connection that brings each side's voice."""

    customer: MediaId | None = None
    agent: MediaId | None = None
    mixed: MediaId | None = None


class CallAnnounce(CallFacts, frozen=True, kw_only=True):
    """A call will come to `line` over AudioSocket, by connections with these UUIDs: one for each channel of the line."""

    line: str = ""
    media: MediaIds

    def sides(self) -> dict[Role, str]:
        """The UUIDs that were given."""
        return {Role(name): said for name in self.media.__struct_fields__ if (said := getattr(self.media, name)) is not None}


class AlertAction(_Command, frozen=True, kw_only=True):
    """What the recovery team did about an alert (its id, as in the alert event).

    `take_over` takes it from whoever has it; with `expected_revision` it is refused where the alert has changed since.
    """

    alert: AlertId
    action: AlertVerb = AlertVerb.ACK
    by: Label
    outcome: Label | None = None
    note: Note | None = None
    take_over: bool = False
    expected_revision: Annotated[int, msgspec.Meta(ge=1, le=_MAX_REVISION)] | None = None


class SelfTestRun(_Command, frozen=True, kw_only=True):
    """Test yourself now; the result comes as a `selftest` event."""


class UtteranceFeedback(_Command, frozen=True, kw_only=True):
    """What a person who listened, or asked the customer, says of an utterance (its call and number, as in its event)."""

    call: CallId
    n: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    label: Polarity
    by: Label


class AlertFeedback(_Command, frozen=True, kw_only=True):
    """Whether an alert (its id, as in its event) was about a customer who had something to complain of."""

    alert: AlertId
    justified: bool
    by: Label


class CustomerErase(_Command, frozen=True, kw_only=True):
    """Forget a customer: every call of which this reference or this number was said."""

    customer_ref: Label | None = None
    callback: Label | None = None
    by: Label | None = None

    def __post_init__(self) -> None:
        """Raises ValueError (Refused, for whoever sent it) where it names nobody."""
        if self.customer_ref is None and self.callback is None:
            raise ValueError("neither `customer_ref` nor `callback`")


class ModelInstall(_Command, frozen=True, kw_only=True):
    """One chunk of a packed bundle: `data` from byte `offset` of `size`. The bundle's own checks decide about it."""

    model: ModelKind
    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=1, le=_MAX_MODEL_BYTES)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=_MAX_MODEL_BYTES)]
    data: bytes
    expires_at: Annotated[str, msgspec.Meta(max_length=40)] | None = None


Command = (
    CallStart | CallEnd | CallContext | CallAnnounce | AlertAction | SelfTestRun | UtteranceFeedback | AlertFeedback | ModelInstall
    | CustomerErase
)  # fmt: skip


class Refused(ValueError):  # noqa: N818 (an answer, not a failure)
    """A message that is no command of ours: the message says why, in one line, without anything of what was sent.

    `id` is what it called itself, for the reply; None where it had none that can be repeated.
    """

    def __init__(self, says: str, *, reason: ReplyReason = ReplyReason.NOT_UNDERSTOOD, id: str | None = None) -> None:  # noqa: A002 (its name)
        super().__init__(says)
        self.reason, self.id = reason, id


class _Identified(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at of a message that is refused."""

    id: Label | None = None


_CALL = re.compile(r"call/(?P<line>[A-Za-z0-9][A-Za-z0-9._-]{0,63})/(?P<verb>start|end|context|announce)")
_CALLS: dict[str, type[CallStart | CallEnd | CallContext | CallAnnounce]] = {
    "start": CallStart, "end": CallEnd, "context": CallContext, "announce": CallAnnounce,
}  # fmt: skip
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
            return msgspec.structs.replace(action, action=AlertVerb(alert["action"]))
        if topic == "selftest/run":
            return msgspec.json.decode(body, type=SelfTestRun)
        if topic == "customer/erase":
            return msgspec.json.decode(body, type=CustomerErase)
        if topic in _FEEDBACK:
            return msgspec.json.decode(body, type=_FEEDBACK[topic])
        if topic == "model/install":
            chunk = msgspec.json.decode(body, type=ModelInstall)
            if chunk.offset + len(chunk.data) > chunk.size:
                raise Refused("the chunk reaches beyond the model's size", id=chunk.id)
            return chunk
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_what_is_wrong(error), id=_id(body)) from error
    raise Refused("unknown command", reason=ReplyReason.UNKNOWN_COMMAND, id=_id(body))


def _what_is_wrong(error: Exception) -> str:
    """What msgspec says, which names known fields and never a value; an unknown field's name is content, and left out."""
    if not isinstance(error, msgspec.ValidationError):
        return "nested too deeply" if isinstance(error, RecursionError) else "no JSON"
    says, _, where = str(error).partition(" - at ")
    if "unknown field" in says:
        return "an unknown field"
    return f"{'Invalid enum value' if 'enum value' in says else says} - at {where or 'the top'}"


def _id(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_Identified).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
