"""Events as fast as a broker takes them: packets made beforehand, so that whoever listens gets the processor. MQTT 3.1.1, QoS 1."""

import socket
import struct
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit


def _length(size: int) -> bytes:
    """A remaining length (MQTT 3.1.1, 2.2.3)."""
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (128 if size else 0))
        if not size:
            return bytes(out)


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


class Flood:
    """A client of its own that publishes `messages` (topic, payload) once `start` is called; `wait` until the broker has all."""

    def __init__(self, url: str, messages: Sequence[tuple[str, bytes]]) -> None:
        place = urlsplit(url)
        self._packets = []
        for n, (topic, payload) in enumerate(messages):
            body = _text(topic.encode()) + struct.pack(">H", n % 65_535 + 1) + payload
            self._packets.append(b"\x32" + _length(len(body)) + body)
        self._socket = socket.create_connection((str(place.hostname), place.port or 1883))
        connect = _text(b"MQTT") + b"\x04\x02\x00\x00" + _text(b"flood")
        self._socket.sendall(b"\x10" + _length(len(connect)) + connect)
        assert self._socket.recv(4) == b"\x20\x02\x00\x00", "the broker refuses"
        self._reader = threading.Thread(target=self._acknowledged, daemon=True)
        self._writer = threading.Thread(target=self._send, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._reader.start()
        self._writer.start()

    def wait(self, seconds: float) -> None:
        """Until each is acknowledged."""
        self._reader.join(seconds)
        assert not self._reader.is_alive(), "the broker has not taken all"
        self._socket.close()

    def _send(self) -> None:
        for first in range(0, len(self._packets), 50):
            self._socket.sendall(b"".join(self._packets[first : first + 50]))

    def _acknowledged(self) -> None:
        # Each PUBACK has four bytes.
        left = 4 * len(self._packets)
        while left:
            left -= len(self._socket.recv(min(left, 65_536)))
