"""What the segmenter says of the sound. Times are samples of the line's clock."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.values.codes import ClosedBy, OpenedBy, Role, Tone
from edge.values.sound import FRAME_SAMPLES, Pcm


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOpened:
    """A call began at sample `start` of the line."""

    start: int
    opened_by: OpenedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """Somebody began to speak on `channel`; `pcm` that follows belongs to one utterance until it is closed or dropped."""

    channel: int
    role: Role
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechAudio:
    """More audio of the open utterance on `channel`: int16, 1-D. No sample is ever handed over twice."""

    channel: int
    start: int
    pcm: Pcm


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechDropped:
    """What was open on `channel` was not speech after all (tone, music, leak): throw away what it left in a recogniser."""

    channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One piece of one speaker's speech, whole. Times are samples of the line's clock.

    `pcm` is int16, 1-D, from `start` to `end`, pre-roll and hangover included, zeros in holes. `voiced` is bool, one per
    20 ms frame of `pcm`. `turn` counts the channel's turns; parts of a cut monologue share it.
    """

    channel: int
    role: Role
    start: int
    end: int
    speech_end: int
    pcm: Pcm = field(repr=False)
    voiced: NDArray[np.bool_] = field(repr=False)
    turn: int
    part: int = 0
    lost_samples: int = 0
    overlap_samples: int = 0
    interrupted: bool = False
    level_dbfs: float = -math.inf
    snr_db: float | None = None

    @property
    def voiced_samples(self) -> int:
        """Samples in voiced frames."""
        return int(self.voiced.sum()) * FRAME_SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Who spoke in one 20 ms frame of an open call: bool per channel, and the level of each; whether its sound went missing."""

    start: int
    speaking: tuple[bool, ...]
    level_dbfs: tuple[float, ...]
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneHeard:
    """A signal tone, music or announcement on `channel`."""

    channel: int
    name: Tone
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClosed:
    """The call ended at sample `end`."""

    end: int
    closed_by: ClosedBy


SegmentEvent = CallOpened | SpeechStarted | SpeechAudio | SpeechDropped | Utterance | Activity | ToneHeard | CallClosed
