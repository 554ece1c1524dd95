"""Switchboards as their protocols' own documents have them, in the least code: what a box hears in the tests.

AudioSocket: Asterisk's documentation, Channel Drivers, AudioSocket. Forks: mod_audio_fork's README (drachtio-freeswitch-modules).
Media streams: Twilio, Media Streams, WebSocket messages.
"""

import base64
import json
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from websockets.sync.client import ClientConnection, connect

from edge.values import Pcm

RATE, PACKET = 8000, 160


def packets(sound: Pcm) -> Iterator[Pcm]:
    """`sound`, (samples, ...) at 8 kHz, in 20 ms pieces."""
    yield from (sound[at : at + PACKET] for at in range(0, len(sound), PACKET))


def paced(sound: Pcm, send: Callable[[Pcm], None], speed: float = 1.0) -> None:
    """Send `sound` as fast as it is spoken, or `speed` times as fast."""
    began = time.monotonic()
    for number, packet in enumerate(packets(sound)):
        send(packet)
        time.sleep(max(0.0, began + (number + 1) * 0.02 / speed - time.monotonic()))


def mulaw(pcm: Pcm) -> bytes:
    """G.711 mu-law, as ITU-T G.191's reference (ulaw_compress) does it."""
    sign = np.where(pcm < 0, 0x00, 0x80)
    magnitude = np.minimum(np.where(pcm < 0, ~pcm.astype(np.int32), pcm.astype(np.int32)) >> 2, 8191 - 33) + 33
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    step = (magnitude >> (segment + 1)) & 15
    return (sign | ((7 - segment) << 4) | (15 - step)).astype(np.uint8).tobytes()


def fork(url: str, metadata: dict, **options: object) -> ClientConnection:
    """A FreeSWITCH fork, begun: send `s16le` bytes, then close."""
    client = connect(url, **options)
    client.send(json.dumps(metadata))
    return client


class MediaStream:
    """A Twilio-shaped stream."""

    def __init__(self, url: str, *, tracks: tuple[str, ...] = ("inbound", "outbound"), **own: str) -> None:
        self.client = connect(url)
        self._number, self._chunks = 0, dict.fromkeys(tracks, 0)
        self._sid = "MZ" + uuid.uuid4().hex
        self.client.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        form = {"encoding": "audio/x-mulaw", "sampleRate": RATE, "channels": 1}
        start = {"accountSid": "AC0", "streamSid": self._sid, "callSid": "CA" + self._sid, "tracks": list(tracks), "mediaFormat": form}
        self.say("start", start=start | {"customParameters": own})

    def say(self, event: str, **more: object) -> None:
        """The next message."""
        self._number += 1
        self.client.send(json.dumps({"event": event, "sequenceNumber": str(self._number), "streamSid": self._sid} | more))

    def send(self, track: str, pcm: Pcm) -> None:
        """20 ms of a track."""
        chunk = self._chunks[track]
        self._chunks[track] += 1
        payload = base64.b64encode(mulaw(pcm)).decode()
        self.say("media", media={"track": track, "chunk": str(chunk + 1), "timestamp": str(chunk * 20), "payload": payload})

    def lose(self, track: str) -> None:
        """20 ms of a track go missing on the way."""
        self._number += 1
        self._chunks[track] += 1

    def stop(self) -> None:
        """The call is over."""
        self.say("stop", stop={"accountSid": "AC0", "callSid": "CA" + self._sid})
        self.client.close()


class AudioSocket:
    """One direction of an Asterisk call."""

    def __init__(self, address: tuple[str, int], media: str) -> None:
        self.sock = socket.create_connection(address, timeout=10)
        self.frame(0x01, uuid.UUID(media).bytes)

    def frame(self, kind: int, payload: bytes = b"") -> None:
        """One frame."""
        self.sock.sendall(struct.pack(">BH", kind, len(payload)) + payload)

    def send(self, pcm: Pcm) -> None:
        """20 ms at 8 kHz."""
        self.frame(0x10, pcm.astype("<i2").tobytes())

    def received(self) -> bytes:
        """All that comes until the box closes."""
        heard = b""
        with suppress(ConnectionResetError):
            while data := self.sock.recv(65_536):
                heard += data
        self.sock.close()
        return heard

    def hang_up(self) -> None:
        """Say so, and close."""
        self.frame(0x00)
        self.sock.close()
