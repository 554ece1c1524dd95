"""The values that flow through a call, from sound to verdict. All frozen; none knows where it came from.

    Block (a source's)  ->  Frame (20 ms, 16 kHz)  ->  Happening (segment)  ->  Reading (voice, words)  ->  Verdict

Time inside a call is a count of samples at 16 kHz on the line's one clock; `*_ms` fields count from the call's start.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# 20 ms: the frame of G.711 packets and of most voice activity detectors.
FRAME_SAMPLES = 320
FRAME_MS = 20

Pcm = NDArray[np.int16]


def samples_to_ms(samples: int) -> int:
    """Whole milliseconds in `samples` at 16 kHz, rounded down."""
    return samples * 1000 // SAMPLE_RATE


class Role(StrEnum):
    """Who speaks on a channel."""

    CUSTOMER = "customer"
    AGENT = "agent"
    MIXED = "mixed"
    SYSTEM = "system"


class Mode(StrEnum):
    """Which branches take part in a verdict."""

    VOICE = "voice"
    WORDS = "words"
    BOTH = "both"


class Privacy(StrEnum):
    """What may leave the box: each tier includes the ones before it."""

    NUMBERS = "numbers"
    QUOTES = "quotes"
    TRANSCRIPT = "transcript"


class Polarity(StrEnum):
    """The three-way judgement."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


# --- sound -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a source hands over: any number of samples at the source's own rate.

    `pcm` is int16, shape (samples, channels). `lost` samples (per channel, at `rate`) went missing just before it.
    """

    pcm: Pcm
    rate: int
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """20 ms of one line. `pcm` is int16, shape (channels, 320), at 16 kHz; zeros where `lost`."""

    start: int
    pcm: Pcm
    lost: bool = False


# --- what the segmenter says of the sound ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOpened:
    """A call began at sample `start` of the line."""

    start: int
    opened_by: str  # "voice" or "command"


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
    """Who spoke in one 20 ms frame of an open call: bool per channel, and the level of each."""

    start: int
    speaking: tuple[bool, ...]
    level_dbfs: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneHeard:
    """A signal tone, music or announcement on `channel`, named: dial, ringback, busy, reorder, dtmf, fax, music, ..."""

    channel: int
    name: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClosed:
    """The call ended at sample `end`."""

    end: int
    closed_by: str  # "command", "busy", "dial", "idle", "end_of_recording", "stop", "source_lost"


Happening = CallOpened | SpeechStarted | SpeechAudio | SpeechDropped | Utterance | Activity | ToneHeard | CallClosed


# --- what the branches say of an utterance ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Calibrated log-odds against neutral with the training prior taken out: natural log, and 0..1 quality."""

    negative: float
    positive: float
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceReading:
    """How it was said. `probs` are the seven emotions, 0..1, sum 1; the three polarities are calibrated, sum 1.

    `model` is the name and version of what judged it.
    """

    probs: Mapping[str, float]
    label: str
    p_negative: float
    p_neutral: float
    p_positive: float
    evidence: Evidence
    voiced_ms: int
    windows: int
    clipping: float
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word with call time in samples of the line's clock and confidence 0..1."""

    text: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a complaint is about: a code of the taxonomy, its probability, the runner-up and the team it goes to."""

    code: str
    p: float
    alternative: str | None
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One thing that moved the words' judgement: lexicon entry or learned n-gram, and its share (negative pulls down)."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spotted:
    """A configured keyword that was heard, with its confidence 0..1 and place."""

    keyword: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsReading:
    """What was said. `redacted` is the only form of the words that may leave the branch, and only as the tier allows.

    `signals` are the categories of the lexicon entries that spoke (edge.words.lexicon.SIGNALS: repeat, threat, ...): codes, no words.
    `label` is the branch's own decision: its thresholds weigh the three classes alike, so it need not be the likeliest.
    `model` is the name and version of what judged it; None where VADER and the lexicon did alone.
    """

    redacted: str
    words: int
    confidence: float
    p_negative: float
    p_neutral: float
    p_positive: float
    evidence: Evidence
    cause: Cause | None = None
    drivers: tuple[Driver, ...] = ()
    spotted: tuple[Spotted, ...] = ()
    signals: tuple[str, ...] = ()
    label: Polarity | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A branch said nothing, and why.

    mixed_channel, agent, too_short, too_quiet, unclear, no_words, no_model, mode, deadline, overload, failed.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One branch's share of a verdict: E_c += weight * quality * clip(llr_c)."""

    branch: str
    weight: float
    quality: float
    llr_negative: float
    llr_positive: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The fused result, recomputable from itself: softmax over log_prior_c + sum of the parts (neutral's llr is 0).

    `label` and the probabilities are None where there is no evidence; `reason` then says why.
    """

    mode: Mode
    label: Polarity | None
    p_negative: float | None
    p_neutral: float | None
    p_positive: float | None
    polarity: float | None
    log_prior: Mapping[str, float]
    llr_clip: float
    parts: tuple[Part, ...]
    conflict: bool = False
    reason: str | None = None
