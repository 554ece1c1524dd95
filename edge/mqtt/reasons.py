"""What a broker said, and what is to be done about it."""

from edge.config import MqttConfig
from edge.errors import BusError, Problem
from edge.mqtt.incoming import Connected, LinkEvent, Lost, Reason
from edge.mqtt.limits import MORE_ROOM, UnansweredError, UnfitBrokerError

# Reason codes of MQTT 5, 2.4.
TAKEN_OVER, TOO_LARGE = 0x8E, 0x95
_VERSION, _LOGIN, _NOT_AUTHORIZED, _TOPIC = 0x84, 0x86, 0x87, 0x90
_NO_RETAIN, _NO_QOS, _NO_WILDCARDS = 0x9A, 0x9B, 0xA2
_UNFIT = {_NO_RETAIN, _NO_QOS, _NO_WILDCARDS}
TWO_BOXES = "two boxes have the same site and device: give each its own"
_ACL = "let this box write it in the broker's ACL"
_PROTOCOL = "is that an MQTT broker, and does nothing between here and there change what is sent? try the other mqtt.protocol"
_WAIT = "nothing: it is tried again; if it stays so, see the broker's log"
_ASK = "ask whoever runs the broker"
_QUOTA = "raise what the broker grants this box (connections, messages a second, bytes), or see what else uses its name"
_OFFER = "let the broker offer it, or name another in mqtt.url (docs/bus.md says what one must offer)"
_ELSEWHERE = "write the server that it names in mqtt.url"
_REMEDIES = {
    0x81: _PROTOCOL,
    0x82: _PROTOCOL,
    0x85: "let the broker take the client id <site>/<device>, or give this box another site and device (NATS takes no '.' in them)",
    _NOT_AUTHORIZED: "check mqtt.username and mqtt.password_file, and what the broker's ACL lets this box do",
    0x88: _WAIT,
    0x89: _WAIT,
    0x8A: _ASK,
    0x8B: _WAIT,
    0x8C: "let the broker take a user name and a password, or a certificate",
    0x8D: "the network is too slow for mqtt.keepalive_s: raise it",
    TAKEN_OVER: TWO_BOXES,
    0x8F: "check mqtt.prefix: the broker does not take its topics",
    _TOPIC: "check mqtt.prefix: the broker does not take its topics",
    TOO_LARGE: MORE_ROOM,
    0x96: _QUOTA,
    0x97: _QUOTA,
    0x98: _ASK,
    0x99: "something between this box and the broker changes messages: find it",
    _NO_RETAIN: _OFFER,
    _NO_QOS: _OFFER,
    0x9C: _ELSEWHERE,
    0x9D: _ELSEWHERE,
    0x9F: _QUOTA,
    0xA0: _WAIT,
    _NO_WILDCARDS: _OFFER,
}
# What is said where it means the message and not the connection.
_OF_A_MESSAGE = {_NOT_AUTHORIZED: _ACL}
_LOG = "see the broker's log"


def loss(lost: Lost) -> Problem:
    """What the end of a connection means."""
    remedy = None if lost.reason is None else _REMEDIES.get(lost.reason.code, _LOG)
    return Problem(what=f"connection lost: {lost}", remedy=remedy)


def not_taken(topic: str, reason: Reason, url: str) -> Problem:
    """The broker at `url` took no message on `topic`."""
    remedy = _OF_A_MESSAGE.get(reason.code) or _REMEDIES.get(reason.code) or _ACL
    return Problem(what=f"{topic} refused ({reason})", where=url, remedy=remedy)


def refused(answer: LinkEvent, config: MqttConfig) -> BusError:
    """Why a broker that was reached would not have us, and the remedy."""
    if not isinstance(answer, Connected) or answer.refusal is None:
        what = f"closed the connection without an answer ({answer})" if isinstance(answer, Lost) else f"answered with {answer}"
        shown = (
            "has mqtt.cert expired, and does the broker trust who signed it?"
            if config.cert
            else "a certificate may be asked for (mqtt.cert)"
        )
        remedy = f"a port with TLS needs mqtts://, {shown}, an old broker needs mqtt.protocol: '3.1.1'"
        return UnansweredError(what, where=config.url, remedy=remedy)
    reason = answer.refusal
    if reason.code in (_LOGIN, _NOT_AUTHORIZED):
        remedy = f"check mqtt.username ({config.username or 'none given'}) and mqtt.password_file"
        return BusError(str(reason), where=config.url, remedy=remedy)
    if reason.code == _VERSION:
        remedy = f"set mqtt.protocol: '{'3.1.1' if config.protocol == '5' else '5'}'"
        return BusError(f"it does not speak MQTT {config.protocol}", where=config.url, remedy=remedy)
    kind = UnfitBrokerError if reason.code in _UNFIT else BusError
    return kind(f"refused: {reason}", where=config.url, remedy=_REMEDIES.get(reason.code, _LOG))
