"""AudioSocket, as Asterisk speaks it (its own documentation, Configuration/Channel-Drivers/AudioSocket; res/res_audiosocket.c).

    kind: 1 byte | length: 2 bytes, big-endian | payload
    0x00 hang-up   0x01 UUID (16 bytes)   0x03 DTMF (1 byte)   0x10 s16le at 8 kHz   0x12 s16le at 16 kHz   0xff error

What other kinds there are is skipped by its length.
"""

import struct
import uuid
from collections.abc import Iterator

import numpy as np

from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.values import ClosedBy

_HEADER = struct.Struct(">BH")
_HANG_UP, _UUID, _ERROR = 0x00, 0x01, 0xFF
_RATES = {0x10: 8000, 0x12: 16_000}
# Sound at rates that a phone line does not need: Asterisk's channel driver can be told to send slin or slin16 instead.
_OTHER_SOUND = frozenset({0x11, *range(0x13, 0x19)})
# 20 ms of it: what Asterisk sends at a time.
_FRAME_SAMPLES = 160
_SILENCE = _HEADER.pack(0x10, 2 * _FRAME_SAMPLES) + bytes(2 * _FRAME_SAMPLES)
_UUID_BYTES = 16


class AudioSocketSession:
    """A Session. `channel` is the line's channel that it brings, once it is known by its UUID."""

    # Asterisk's application closes its socket without a word when its channel hangs up; with silence of ours unread, that is a reset.
    unsaid = ClosedBy.HANG_UP

    def __init__(self) -> None:
        self.channel = 0
        self._buffer, self._out = bytearray(), bytearray()
        self._greeted = False
        self._owed = 0
        # Half a sample that a frame of odd length left.
        self._rest = b""
        self._rate: int | None = None

    def receive(self, data: bytes) -> Iterator[Hello | Sound | End]:
        """See Session."""
        self._buffer += data
        sound, end = bytearray(), None
        while end is None and (frame := self._next()) is not None:
            kind, payload = frame
            if not self._greeted and kind != _UUID:
                raise ProtocolError(Refusal.NOT_UNDERSTOOD, "the first frame is no UUID")
            if kind == _UUID:
                yield self._greet(payload)
            elif kind in _RATES:
                if self._rate not in (None, _RATES[kind]):
                    raise ProtocolError(Refusal.RATE, "the rate changes within the call")
                self._rate = _RATES[kind]
                sound += payload
            elif kind in _OTHER_SOUND:
                raise ProtocolError(Refusal.RATE, "sound at another rate than 8000 or 16000")
            elif kind in (_HANG_UP, _ERROR):
                end = End(by=ClosedBy.HANG_UP if kind == _HANG_UP else ClosedBy.PROTOCOL_ERROR)
        if sound and self._rate is not None:
            whole = self._rest + bytes(sound)
            self._rest = whole[len(whole) // 2 * 2 :]
            pcm = np.frombuffer(whole[: len(whole) // 2 * 2], "<i2").astype(np.int16, copy=False)[:, None]
            yield Sound(pcm=pcm, rate=self._rate, channels=(self.channel,))
        if end is not None:
            yield end

    def outgoing(self) -> bytes:
        """See Session."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def refuse(self, refusal: Refusal) -> None:
        """A hang-up: the protocol has no words."""
        del refusal
        self._out += _HEADER.pack(_HANG_UP, 0)

    def pass_time(self, samples: int) -> None:
        """Silence for as long, in whole frames: Asterisk gives a connection up on which nothing has come either way for 2 s."""
        self._owed += samples
        frames, self._owed = divmod(self._owed, _FRAME_SAMPLES)
        self._out += _SILENCE * frames

    def _next(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(self._buffer)
        # Whoever has not said yet who they are gets no memory for it.
        if not self._greeted and (kind != _UUID or length != _UUID_BYTES):
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "the first frame is no UUID")
        if len(self._buffer) < _HEADER.size + length:
            return None
        payload = bytes(self._buffer[_HEADER.size : _HEADER.size + length])
        del self._buffer[: _HEADER.size + length]
        return kind, payload

    def _greet(self, payload: bytes) -> Hello:
        if self._greeted or len(payload) != _UUID_BYTES:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a second UUID, or one that is none")
        self._greeted = True
        return Hello(media=str(uuid.UUID(bytes=payload)))
