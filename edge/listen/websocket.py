"""WebSocket (RFC 6455) without sockets, by the sans-I/O layer of `websockets`: who may come in, and which of two shapes they speak."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from edge.listen.fork import Fork
from edge.listen.media_stream import EVENTS, MediaStream
from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.listen.tokens import Tokens
from edge.values import ClosedBy, Role

# 2 s of stereo at 8 kHz. Forks send 20 to 200 ms at a time.
MAX_MESSAGE = 65_536
# It would say of each connection that it opened.
_SILENT = logging.getLogger("undertone.listen.websocket")
_SILENT.setLevel(logging.CRITICAL)
_STATUS = {
    Refusal.FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.STOPPING: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.CROWDED: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.TOKEN: HTTPStatus.UNAUTHORIZED,
    Refusal.NO_START: HTTPStatus.REQUEST_TIMEOUT,
}
# RFC 6455, section 7.4.1, and the IANA registry of close codes.
_CLOSE = {
    Refusal.FULL: 1013, Refusal.CROWDED: 1013, Refusal.STOPPING: 1001, Refusal.OVER: 1000, Refusal.NO_START: 1008, Refusal.TOKEN: 1008,
    Refusal.CHANNELS: 1003, Refusal.RATE: 1003,
}  # fmt: skip
_NOT_UNDERSTOOD = 1002
# With which a client says that it is done: normal, going away, no code at all.
_DONE = frozenset({1000, 1001, 1005})


class WebSocketSession:
    """A Session. `rate`: of binary sound whose metadata do not say; `full`: whether no further call can be taken."""

    # RFC 6455, section 7.1.5: who is done sends a close frame.
    unsaid = ClosedBy.CONNECTION_LOST

    def __init__(self, *, roles: tuple[Role, ...], rate: int, tokens: Tokens, full: Callable[[], bool]) -> None:
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE, logger=_SILENT)
        self._roles, self._rate, self._tokens, self._full = roles, rate, tokens, full
        self._shape: Fork | MediaStream | None = None
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self._requested = False

    def receive(self, data: bytes) -> Iterator[Hello | Sound | End]:
        """See Session."""
        self._protocol.receive_data(data)
        binary: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                if self._protocol.eof_sent:
                    # What came right behind the handshake was so wrong that the library has hung up already.
                    raise ProtocolError(Refusal.NOT_UNDERSTOOD, "frames before the handshake was answered, and wrong ones")
                self._requested = True
                self._let_in(event)
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                yield from self._sound(binary)
                code = self._protocol.close_rcvd.code if self._protocol.close_rcvd is not None else 1005
                yield End(by=ClosedBy.HANG_UP if code in _DONE else ClosedBy.PROTOCOL_ERROR)
                return
            elif isinstance(event, Frame) and (message := self._whole(event)) is not None:
                if isinstance(message, bytes):
                    binary.append(message)
                    continue
                yield from self._sound(binary)
                yield from self._text(message)
        yield from self._sound(binary)
        if self._protocol.parser_exc is not None or self._protocol.handshake_exc is not None:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, f"no WebSocket, or a message of more than {MAX_MESSAGE} bytes")

    def outgoing(self) -> bytes:
        """See Session."""
        return b"".join(self._protocol.data_to_send())

    def refuse(self, refusal: Refusal) -> None:
        """By an HTTP status before it is a WebSocket, by a close code and the reason's word when it is one."""
        if self._protocol.state is OPEN:
            self._protocol.fail(_CLOSE.get(refusal, _NOT_UNDERSTOOD), refusal.value)
        elif not self._requested and not self._protocol.eof_sent:
            self._reject(refusal)

    def pass_time(self, samples: int) -> None:
        """Nobody waits for anything."""

    def _let_in(self, request: Request) -> None:
        """Answer the handshake. Raises ProtocolError where the answer is no."""
        refusal = None
        if not self._tokens.knows(_offered(request)):
            refusal = Refusal.TOKEN
        elif self._full():
            refusal = Refusal.FULL
        if refusal is not None:
            self._reject(refusal)
            raise ProtocolError(refusal, refusal.doc)
        try:
            response = self._protocol.accept(request)
        except UnicodeEncodeError as error:
            # websockets 15 quotes a header that is no text in what it would answer.
            self._reject(Refusal.NOT_UNDERSTOOD)
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a header that is no text") from error
        self._protocol.send_response(response)
        if self._protocol.state is not OPEN:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "no WebSocket handshake")

    def _reject(self, refusal: Refusal) -> None:
        response = self._protocol.reject(_STATUS.get(refusal, HTTPStatus.BAD_REQUEST), f"{refusal.value}: {refusal.doc}\n")
        if refusal is Refusal.TOKEN:
            response.headers["WWW-Authenticate"] = "Bearer"
        elif refusal is Refusal.FULL:
            response.headers["Retry-After"] = "5"
        self._protocol.send_response(response)

    def _whole(self, frame: Frame) -> str | bytes | None:
        """The message that `frame` completes; None where it is a part of one, or a ping."""
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        if self._opcode is Opcode.BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a text frame that is no UTF-8") from error

    def _text(self, text: str) -> Iterator[Hello | Sound | End]:
        try:
            said: Any = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a text frame that is no JSON") from error
        if not isinstance(said, dict):
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a text frame that is no JSON object")
        if self._shape is not None:
            yield from self._shape.text(said)
        elif said.get("event") in EVENTS:
            self._shape = MediaStream(self._roles)
            yield from self._shape.text(said)
        else:
            self._shape = Fork(said, channels=len(self._roles), rate=self._rate)
            yield self._shape.hello

    def _sound(self, binary: list[bytes]) -> Iterator[Hello | Sound | End]:
        """What came in binary frames, together: they are small, and many."""
        if not binary:
            return
        if self._shape is None:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "sound before the metadata")
        yield from self._shape.binary(b"".join(binary))
        binary.clear()


def _offered(request: Request) -> Iterator[str]:
    """Tokens in a handshake: of the Authorization header, of `?token=`, and the last part of the path (for who can send neither)."""
    for value in request.headers.get_all("Authorization"):
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer":
            yield token.strip()
    parts = urlsplit(request.path)
    with suppress(ValueError):
        yield from parse_qs(parts.query, max_num_fields=20).get("token", [])[:3]
    yield unquote(parts.path.rpartition("/")[2])
