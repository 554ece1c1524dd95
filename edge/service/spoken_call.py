"""A call with words in it, for measuring what a box carries: sound without words costs the recogniser half.

A minute between a customer and an agent, the demo's: our own words, spoken by flite's synthesised voices through the telephone
band and G.711 (tests/demo/call.yaml; tests/demo/make_call.py packs it).
"""

from pathlib import Path

import numpy as np

from edge.capture import wavfile
from edge.signal.resample import frames
from edge.values import SAMPLE_RATE, Pcm, Role

_PACKED = Path(__file__).with_name("call.ogg")
# The channels of the recording.
_CHANNELS = (Role.CUSTOMER, Role.AGENT)


# Both voices, and some of what callers say: more makes a recogniser faster still, and takes longer.
_WARM_UP_S = 24


def warm_up_speech() -> Pcm:
    """Speech that warms a recogniser: int16, 1-D, 16 kHz."""
    return spoken_call((Role.MIXED,))[0, : _WARM_UP_S * SAMPLE_RATE]


def spoken_call(roles: tuple[Role, ...]) -> Pcm:
    """The call as a line with these channels hears it: int16, (channels, samples), 16 kHz. A mixed channel holds both voices."""
    sound = np.concatenate([frame.pcm for frame in frames(wavfile.blocks(_PACKED, chunk_ms=1000))], axis=1)
    mixed = np.clip(sound.sum(axis=0, dtype=np.int32), -32768, 32767).astype(np.int16)
    by_role = dict(zip(_CHANNELS, sound, strict=True))
    return np.stack([by_role.get(role, mixed) for role in roles])
