"""Wire types: the `data` of events about calls; those about the box are in edge.bus.device. The JSON Schemas are made from them.

A breaking change of meaning or shape gets a new type (`...v2`); adding a nullable field does not. Unknown is null, and 0
never means unknown. Integers in `_ms` count from the call's start; probabilities are 0..1; polarity is -1..1 (p_positive
minus p_negative); times are RFC 3339 UTC.
"""

from typing import ClassVar, Literal

import msgspec

from edge.bus.device import Feedback, Gap, Health, Info, ModelChange, SelfTest, State
from edge.bus.parts import (
    Count,
    EvidenceData,
    LatencyData,
    Millis,
    Probability,
    RoleName,
    RoleTalkData,
    ScoresData,
    TurnData,
    VerdictData,
    VoiceData,
    Wire,
    WordsData,
)  # fmt: skip


class Started(Wire, frozen=True, kw_only=True):
    """A call began."""

    kind: ClassVar[str] = "call.started"
    call: str
    line: str
    desk: str | None
    started_at: str
    time_synced: bool
    channels: list[RoleName]
    mode: Literal["voice", "words", "both"]
    privacy: Literal["numbers", "quotes", "transcript"]
    opened_by: str
    models: dict[str, str | None]
    customer_ref: str | None
    queue: str | None
    notice_given: bool | None


class UtteranceHeard(Wire, frozen=True, kw_only=True):
    """One utterance, whole; published once, never amended. A null branch has its reason beside it."""

    kind: ClassVar[str] = "call.utterance"
    call: str
    line: str
    n: Count
    turn_id: str
    part: Count
    channel: Count
    role: RoleName
    start_ms: Millis
    end_ms: Millis
    voiced_ms: Millis
    lost_ms: Millis
    snr_db: float | None
    voice: VoiceData | None
    voice_reason: str | None
    words: WordsData | None
    words_reason: str | None
    verdict: VerdictData | None
    turn: TurnData
    scores: ScoresData | None
    latency: LatencyData


class Metrics(Wire, frozen=True, kw_only=True):
    """Turn-taking in the last window (15 s) of a call.

    `silence_ms` and what follows it are of both sides together, and null on a line that hears one side only. A silence counts
    in the window in which it is known for one (after 200 ms), dead air in which it becomes dead air (after 5 s) and with all of
    its length, so that windows add up to the summary; `longest_silence_ms` counts from where the silence began.
    """

    kind: ClassVar[str] = "call.metrics"
    call: str
    line: str
    n: Count
    start_ms: Millis
    end_ms: Millis
    roles: list[RoleTalkData]
    silence_ms: Millis | None
    overlap_ms: Millis | None
    longest_silence_ms: Millis | None
    dead_air_ms: Millis | None
    lost_ms: Millis
    tones: list[str]
    scores: ScoresData | None


class Summary(Wire, frozen=True, kw_only=True):
    """A call that ended properly, as a whole."""

    kind: ClassVar[str] = "call.summary"
    call: str
    line: str
    desk: str | None
    started_at: str
    ended_at: str
    time_synced: bool
    duration_ms: Millis
    closed_by: str
    utterances: Count
    customer_utterances: Count
    abstained: Count
    lost_ms: Millis
    roles: list[RoleTalkData]
    silence_ms: Millis | None
    overlap_ms: Millis | None
    longest_silence_ms: Millis | None
    dead_air_ms: Millis | None
    tones: list[str]
    scores: ScoresData
    causes: dict[str, Count]
    alerts: list[str]
    models: dict[str, str | None]
    customer_ref: str | None
    queue: str | None


class Failed(Wire, frozen=True, kw_only=True):
    """A call that could not be heard to its end, and why (restart, source_lost, ...)."""

    kind: ClassVar[str] = "call.failed"
    call: str
    line: str
    started_at: str
    reason: str


class Text(Wire, frozen=True, kw_only=True):
    """Redacted words of one utterance; only where the privacy tier is `transcript`."""

    kind: ClassVar[str] = "call.text"
    call: str
    line: str
    n: Count
    role: RoleName
    start_ms: Millis
    end_ms: Millis
    text: str


class Alert(Wire, frozen=True, kw_only=True):
    """Something for the recovery team to do; each revision is a full snapshot."""

    kind: ClassVar[str] = "alert"
    alert: str
    revision: Count
    state: Literal["new", "update", "end"]
    rule: str
    rule_says: str
    severity: Literal["low", "medium", "high", "critical"]
    route: str
    cause: str | None
    probability: Probability | None
    evidence: list[EvidenceData]
    drivers: list[str]
    call: str
    line: str
    desk: str | None
    started_at: str
    customer_ref: str | None
    queue: str | None
    opened_at: str
    updated_at: str
    expires_at: str
    offset_ms: Millis
    acknowledged_by: str | None
    contacted_by: str | None
    outcome: str | None
    end_reason: Literal["call_over", "withdrawn", "expired", "closed", "restart"] | None


EVENTS: tuple[type[Wire], ...] = (
    Started, UtteranceHeard, Metrics, Summary, Failed, Text, Alert, Info, State, Health, SelfTest, ModelChange, Feedback, Gap,
)  # fmt: skip


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event before it is given its envelope: deterministic `id`, when it happened, its data. `topic` is without prefix."""

    id: str
    topic: str
    time: str
    data: Wire
    alert_lane: bool = False
