"""A broker that does as it is told: announces limits, refuses, ends connections with a reason or without one. Not a broker to use.

with ScriptedBroker(connack={MAXIMUM_PACKET: 1000}) as broker:
    ... broker.url ...
"""

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

# Properties of CONNACK (MQTT 5, 2.2.2.2), and how many bytes each has.
SESSION_EXPIRY, SERVER_KEEPALIVE, RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM = 0x11, 0x13, 0x21, 0x22
MAXIMUM_QOS, RETAIN, MAXIMUM_PACKET, WILDCARDS = 0x24, 0x25, 0x27, 0x28
_WIDTH = {SESSION_EXPIRY: ">I", SERVER_KEEPALIVE: ">H", RECEIVE_MAXIMUM: ">H", TOPIC_ALIAS_MAXIMUM: ">H", MAXIMUM_PACKET: ">I"}
_TOPIC_ALIAS = 0x23


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A PUBLISH as it came: the whole packet's bytes are `size`."""

    topic: str
    body: bytes
    retain: bool
    size: int
    aliased: bool


@dataclass(kw_only=True)
class ScriptedBroker:
    """`connack`: properties that it announces; `refusal`: the reason code of its CONNACK.

    It ends a connection before it has acknowledged message number `ends_at` (from 0), or any packet of more than `cuts_above` bytes, or
    after it has acknowledged `ends_after` messages: with the reason code `says`, or without a word.
    `answers`: the reason code of each PUBACK, by topic.
    """

    connack: Mapping[int, int] = field(default_factory=dict)
    refusal: int = 0
    ends_at: int | None = None
    ends_after: int | None = None
    cuts_above: int | None = None
    says: int | None = None
    answers: Callable[[str], int] = lambda _topic: 0

    def __post_init__(self) -> None:
        self.connects = 0
        self.goodbyes = 0
        self.published: list[Published] = []
        # The most that were unacknowledged at a time.
        self.most_unanswered = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A blocked accept() ends only by a connection.
        with suppress(OSError), socket.create_connection(self._server.getsockname()) as last:
            last.sendall(b"\0")
        self._accepting.join()
        self._server.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def topics(self) -> list[str]:
        """The last part of each topic, in the order of arrival."""
        return [one.topic.split("/", 4)[-1] for one in list(self.published)]

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            if connection.recv(1, socket.MSG_PEEK) == b"\0":
                connection.close()
                return
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        count = 0
        with connection, suppress(OSError, EOFError):
            while True:
                kind, packet, size = _read(connection)
                match kind >> 4:
                    case 1:
                        five = packet[6] == 5
                        self.connects += 1
                        connection.sendall(_connack(self.refusal, self.connack, five=five))
                        if self.refusal:
                            return
                    case 3:
                        self.published.append(_published(kind, packet, size, five=five))
                        if count == self.ends_at or (self.cuts_above is not None and size > self.cuts_above):
                            self._end(connection)
                            return
                        count += 1
                        self.most_unanswered = max(self.most_unanswered, 1 + _waiting(connection))
                        number = packet[2 + struct.unpack(">H", packet[:2])[0] :][:2]
                        answer = self.answers(self.published[-1].topic)
                        connection.sendall(b"\x40" + (bytes([3]) + number + bytes([answer]) if five else b"\2" + number))
                        if count == self.ends_after:
                            self._end(connection)
                            return
                    case 8:
                        connection.sendall(b"\x90" + (b"\4" + packet[:2] + b"\0\1" if five else b"\3" + packet[:2] + b"\1"))
                    case 12:
                        connection.sendall(b"\xd0\0")
                    case 14:
                        self.goodbyes += 1
                        return

    def _end(self, connection: socket.socket) -> None:
        if self.says is not None:
            connection.sendall(bytes([0xE0, 1, self.says]))
        # Closed with something unread, TCP would throw away what was just sent.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


def _read(connection: socket.socket) -> tuple[int, bytes, int]:
    """The next packet: its first byte, what follows the length, and how long all of it is."""
    kind, length, shift, head = _exactly(connection, 1)[0], 0, 0, 1
    while True:
        byte = _exactly(connection, 1)[0]
        length, shift, head = length | (byte & 0x7F) << shift, shift + 7, head + 1
        if byte < 0x80:
            return kind, _exactly(connection, length), head + length


def _exactly(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        if not (more := connection.recv(count - len(read))):
            raise EOFError
        read += more
    return read


def _waiting(connection: socket.socket) -> int:
    """How many more messages have come already: each has a body that begins with {"specversion"."""
    try:
        return connection.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT).count(b'{"specversion"')
    except BlockingIOError:
        return 0


def _connack(refusal: int, limits: Mapping[int, int], *, five: bool) -> bytes:
    if not five:
        return bytes([0x20, 2, 0, refusal])
    properties = b"".join(bytes([name]) + struct.pack(_WIDTH.get(name, ">B"), value) for name, value in limits.items())
    return bytes([0x20, 3 + len(properties), 0, refusal, len(properties)]) + properties


def _published(kind: int, packet: bytes, size: int, *, five: bool) -> Published:
    (length,) = struct.unpack(">H", packet[:2])
    topic, rest = packet[2 : 2 + length].decode(), packet[4 + length :]
    properties, body = (rest[1 : 1 + rest[0]], rest[1 + rest[0] :]) if five else (b"", rest)
    return Published(topic=topic, body=body, retain=bool(kind & 1), size=size, aliased=_TOPIC_ALIAS in properties[:1])
