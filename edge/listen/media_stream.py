"""Twilio-shaped media streams: JSON alone, mu-law in base64 (Twilio, "Media Streams: WebSocket messages"); others send the same shape.

    connected -> start (streamSid, callSid, tracks, customParameters, mediaFormat) -> media (track, timestamp in ms, payload) ... -> stop

Twilio's `inbound` is what comes from the caller, `outbound` what the caller is played. `sequenceNumber` counts the messages of a stream.
"""

import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge.listen.brought import brought
from edge.listen.messages import End, Hello, ProtocolError, Refusal, Sound
from edge.signal.pcm import from_mulaw
from edge.values import ClosedBy, Role

_RATE, _ENCODING = 8000, "audio/x-mulaw"
# The first words of such a stream.
EVENTS = ("connected", "start")
_SIDES = {"inbound": (Role.CUSTOMER, Role.MIXED), "outbound": (Role.AGENT,)}
# More than any clock of a call: what is beyond is no time.
_MAX_MS = 7 * 86_400_000


class MediaStream:
    """One stream's messages, for a line with these channels."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self._roles = roles
        # Track -> the line's channel; None: one that the line has not.
        self._channels: dict[str, int | None] = {
            track: next((n for n, role in enumerate(roles) if role in sides), None) for track, sides in _SIDES.items()
        }
        self._sid: object = None
        self._started = False
        self._number: int | None = None
        # Tracks that have had no sound since a number was missing.
        self._missing: set[str] = set()

    def text(self, said: Mapping[str, Any]) -> Iterator[Hello | Sound | End]:
        """What a message is. Raises ProtocolError."""
        event = said.get("event")
        self._count(said)
        if event == "start":
            yield self._start(said)
        elif event == "media":
            yield from self._media(said)
        elif event == "stop":
            yield End(by=ClosedBy.HANG_UP)

    def binary(self, data: bytes) -> Iterator[Hello | Sound | End]:
        """There is none in this shape. Raises ProtocolError."""
        del data
        yield from ()
        raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a binary frame in a stream of JSON")

    def _count(self, said: Mapping[str, Any]) -> None:
        """Follow the numbers of the messages: a hole in them is lost sound, a pause without one is silence."""
        number = _whole(said.get("sequenceNumber"))
        if number is None:
            return
        if self._number is not None and number > self._number + 1:
            self._missing = set(_SIDES)
        self._number = number if self._number is None else max(self._number, number)

    def _start(self, said: Mapping[str, Any]) -> Hello:
        start = said.get("start")
        if self._started or not isinstance(start, dict):
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a second start, or one that says nothing")
        form = start.get("mediaFormat")
        has = form if isinstance(form, dict) else {}
        if has.get("encoding", _ENCODING) != _ENCODING or _whole(has.get("sampleRate", _RATE)) != _RATE:
            raise ProtocolError(Refusal.RATE, "mediaFormat is not audio/x-mulaw at 8000")
        tracks = start.get("tracks")
        if self._roles == (Role.MIXED,) and isinstance(tracks, list) and len(tracks) > 1:
            raise ProtocolError(Refusal.CHANNELS, "two tracks for a mixed line; give it channels: [customer, agent]")
        own = start.get("customParameters")
        facts = dict(own) if isinstance(own, dict) else {}
        facts.setdefault("pbx_call_id", start.get("callSid"))
        self._started, self._sid = True, said.get("streamSid")
        return Hello(context=brought(facts))

    def _media(self, said: Mapping[str, Any]) -> Iterator[Sound]:
        media = said.get("media")
        if not self._started or not isinstance(media, dict):
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "media before start, or without anything in it")
        if said.get("streamSid") != self._sid:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "media of another stream")
        track, payload = media.get("track", "inbound"), media.get("payload")
        if not isinstance(track, str) or track not in self._channels or not isinstance(payload, str):
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a track that is neither inbound nor outbound, or no payload")
        try:
            law = binascii.a2b_base64(payload, strict_mode=True)
        except (binascii.Error, ValueError) as error:
            raise ProtocolError(Refusal.NOT_UNDERSTOOD, "a payload that is no base64") from error
        channel, at_ms = self._channels[track], _whole(media.get("timestamp"))
        lost = track in self._missing
        self._missing.discard(track)
        if channel is None or not law:
            return
        at = None if at_ms is None or not 0 <= at_ms <= _MAX_MS else at_ms * _RATE // 1000
        pcm = from_mulaw(np.frombuffer(law, np.uint8))[:, None]
        yield Sound(pcm=pcm, rate=_RATE, channels=(channel,), at=at, lost=lost)


def _whole(said: object) -> int | None:
    """A whole number, which this shape writes as text; None where it is none."""
    if isinstance(said, bool) or not isinstance(said, int | str) or len(str(said)) > 20:  # noqa: PLR2004 (as long as 64 bits are)
        return None
    try:
        return int(said)
    except ValueError:
        return None
