"""Inputs that come from whoever connects: AudioSocket frames, WebSocket handshakes, forks and media streams."""

import base64
import json
import random
import struct
from typing import Any

from edge.listen.audiosocket import AudioSocketSession
from edge.listen.messages import ProtocolError, Session, Sound
from edge.listen.stream import Stream
from edge.listen.timeline import Timeline
from edge.listen.tokens import Tokens
from edge.listen.websocket import WebSocketSession
from edge.values import Role
from tests.fuzz.mutate import damaged, document, nested

_ROLES = (Role.CUSTOMER, Role.AGENT)
# A minute and a half of it is told at most, however much it claims to be.
_MOST_S = 90
_HELLO = struct.pack(">BH", 0x01, 16) + bytes(range(16))


def audiosocket(chance: random.Random) -> bytes:
    """A connection with frames of all kinds and lengths, or a damaged one."""
    kinds = (0x00, 0x01, 0x03, 0x10, 0x10, 0x10, 0x11, 0x12, 0x7E, 0xFF)
    sizes = [chance.choice((0, 1, 2, 3, 16, 320, 321, 640, 4000, 65_535)) for _ in range(chance.randrange(6))]
    frames = [struct.pack(">BH", chance.choice(kinds), size) + bytes(min(size, 3000)) for size in sizes]
    made = (_HELLO if chance.random() < 0.9 else b"") + b"".join(frames)
    return made if chance.random() < 0.6 else damaged((made,), chance)


def hear_audiosocket(data: bytes) -> None:
    _hear(AudioSocketSession(), data)


_REQUEST = (
    b"GET /calls?token=a-token-of-sixteen HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer x\r\n\r\n"
)
_PAYLOAD = base64.b64encode(bytes(range(160))).decode()
_SAID: tuple[Any, ...] = (
    {"customer_ref": "c-1", "queue": "billing", "notice_given": True, "rate": 8000, "channels": 2, "mixType": "stereo"},
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
        "start": {"callSid": "CA1", "tracks": ["inbound", "outbound"], "customParameters": {"customer_ref": "c", "notice_given": "true"},
                  "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}},
    },
    {
        "event": "media", "sequenceNumber": "3", "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": _PAYLOAD},
    },
    {"event": "stop", "sequenceNumber": "5", "streamSid": "MZ1"},
)  # fmt: skip
_SAID_AS_BYTES = tuple(json.dumps(one).encode() for one in _SAID)


def websocket(chance: random.Random) -> bytes:
    """A handshake and some messages in order, some of them damaged; or bytes that are damaged as a whole."""
    messages = []
    for seed in _SAID[chance.randrange(2) :]:
        kind = chance.random()
        said = json.dumps(seed).encode() if kind < 0.6 else document((seed,), chance) if kind < 0.8 else damaged(_SAID_AS_BYTES, chance)
        messages.append(_frame(0x1, nested(chance) if chance.random() < 0.002 else said))
        if chance.random() < 0.3:
            messages.append(_frame(chance.choice((0x0, 0x2, 0x2, 0x8, 0x9, 0xA, 0x3)), bytes(chance.choice((0, 1, 125, 640, 3001)))))
    made = (_REQUEST if chance.random() < 0.9 else damaged((_REQUEST,), chance)) + b"".join(messages)
    return made if chance.random() < 0.7 else damaged((made,), chance)


def _frame(opcode: int, data: bytes) -> bytes:
    """RFC 6455, section 5.2, masked with zeros: so that a seed always makes the same bytes."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, min(len(data), 65_535))
    return bytes([0x80 | opcode]) + size + bytes(4) + data


def hear_websocket(data: bytes) -> None:
    _hear(WebSocketSession(roles=_ROLES, rate=8000, tokens=Tokens(None), full=lambda: len(data) % 50 == 0), data)


def _hear(session: Session, data: bytes) -> None:
    """All that comes is heard, answered and put on a call's clock, 40 ms of time for each piece."""
    timeline, told, moment = Timeline(_ROLES, 8000, 0.0), 0, 0.0
    stream = Stream(timeline)
    try:
        for at in range(0, len(data), 997):
            moment += 0.04
            for message in session.receive(data[at : at + 997]):
                if isinstance(message, Sound):
                    stream.heard(message, moment)
            stream.settle(moment)
            told += sum(block.lost + len(block.pcm) for block in timeline.due(moment, stream.together))
            session.outgoing()
    except ProtocolError as error:
        session.refuse(error.refusal)
        session.outgoing()
        if not error.says.isprintable():
            raise ValueError("a reason that garbles the log") from error
    told += sum(block.lost + len(block.pcm) for block in timeline.rest())
    if told > _MOST_S * 8000 or told != timeline.told:
        raise ValueError(f"{told / 8000:.0f} s were told of {len(data)} bytes")
