"""A FreeSWITCH audio fork (mod_audio_fork, mod_audio_stream): one text frame of JSON metadata, then binary s16le.

The first channel of a stereo fork is the caller, the second the callee; the line's `channels` say who that is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge.listen.brought import brought
from edge.listen.messages import Hello, ProtocolError, Refusal, Sound

RATES = (8000, 16_000)
# mod_audio_fork's own words for how many channels it sends.
_MIXES = {"mono": 1, "mixed": 1, "stereo": 2}


class Fork:
    """One fork's messages. `metadata` is its first; `rate` is what it has where they do not say."""

    def __init__(self, metadata: Mapping[str, Any], *, channels: int, rate: int) -> None:
        """Raises ProtocolError."""
        self.hello = Hello(context=brought(metadata))
        self._channels = channels
        said = metadata.get("rate", metadata.get("sampleRate", rate))
        if said not in RATES:
            raise ProtocolError(Refusal.RATE, "the rate is neither 8000 nor 16000")
        self._rate = int(said)
        has = metadata.get("channels", _MIXES.get(str(metadata.get("mixType")), channels))
        if has != channels:
            raise ProtocolError(Refusal.CHANNELS, f"the line has {channels} channel(s)")
        self._rest = b""

    def text(self, said: Mapping[str, Any]) -> Iterator[Sound]:
        """What else it says in words (DTMF, events of its own) is nothing of ours."""
        del said
        yield from ()

    def binary(self, data: bytes) -> Iterator[Sound]:
        """Some sound, in whatever pieces it comes."""
        data = self._rest + data
        whole = len(data) // (2 * self._channels) * 2 * self._channels
        self._rest = data[whole:]
        if whole:
            pcm = np.frombuffer(data[:whole], "<i2").astype(np.int16, copy=False).reshape(-1, self._channels)
            yield Sound(pcm=pcm, rate=self._rate, channels=tuple(range(self._channels)))
