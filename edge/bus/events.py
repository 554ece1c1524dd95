"""Wire types: every event's `data`. The JSON Schemas are made from these (edge.bus.schema).

A breaking change of meaning or shape gets a new type (`...v2`); adding a nullable field does not. Unknown is null, and 0
never means unknown. Integers in `_ms` count from the call's start; probabilities are 0..1; polarity is -1..1 (p_positive
minus p_negative); times are RFC 3339 UTC.
"""

from typing import ClassVar, Literal

import msgspec

from edge.bus.parts import (
    Count,
    EvidenceData,
    LatencyData,
    LineInfo,
    Millis,
    Probability,
    RoleName,
    RoleTalkData,
    ScoresData,
    SpreadData,
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


class ModelInfo(Wire, frozen=True, kw_only=True):
    """A model in service, with the licence of what it was trained on."""

    name: str
    version: str
    sha256: str
    licence: str
    signed_by: str | None
    validated_on_calls: bool


class Info(Wire, frozen=True, kw_only=True):
    """What this box is (retained)."""

    kind: ClassVar[str] = "device.info"
    site: str
    device: str
    undertone: str
    mode: Literal["voice", "words", "both"]
    privacy: Literal["numbers", "quotes", "transcript"]
    lines: list[LineInfo]
    models: dict[str, ModelInfo | None]
    weights: dict[str, float]
    weights_fitted: bool
    unsigned_allowed: bool


class State(Wire, frozen=True, kw_only=True):
    """How this box is (retained; `lost` is its will). `boot` counts starts, so that an old will cannot mask a new start."""

    kind: ClassVar[str] = "device.state"
    state: Literal["online", "degraded", "stopped", "lost"]
    boot: Count
    since: str | None
    reasons: list[str]
    lines: dict[str, str]


class Health(Wire, frozen=True, kw_only=True):
    """Every 60 s."""

    kind: ClassVar[str] = "device.health"
    uptime_s: float
    cpu_s: float
    memory_mb: float
    outbox_rows: Count
    outbox_alert_rows: Count
    oldest_unsent_s: float | None
    disk_free_mb: float
    frames: dict[str, Count]
    dropped_ms: dict[str, Count]
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    committed: SpreadData | None
    sent: SpreadData | None
    acknowledged: SpreadData | None
    selftest_passed: bool | None


class SelfTest(Wire, frozen=True, kw_only=True):
    """The golden clips through the real path."""

    kind: ClassVar[str] = "device.selftest"
    passed: bool
    checks: dict[str, str]


ModelAction = Literal["receiving", "installed", "refused", "probation", "kept", "rolled_back", "pinned"]


class ModelChange(Wire, frozen=True, kw_only=True):
    """A model was installed, refused, put on probation, kept or rolled back; or is coming over the bus (`receiving`)."""

    kind: ClassVar[str] = "device.model"
    action: ModelAction
    model: str
    version: str
    previous: str | None
    reason: str | None
    figures: dict[str, float]
    transfer: str | None = None


class Feedback(Wire, frozen=True, kw_only=True):
    """What the recovery team said of an utterance or an alert, as this box took it from the command topic."""

    kind: ClassVar[str] = "device.feedback"
    call: str
    n: Count | None
    label: Literal["negative", "neutral", "positive"] | None
    alert: str | None
    justified: bool | None
    by: str


class Gap(Wire, frozen=True, kw_only=True):
    """Events that had to be evicted: sequences `first`..`last` of `topic` will never come."""

    kind: ClassVar[str] = "device.gap"
    topic: str
    first: Count | None
    last: Count | None
    lost: Count | None
    reason: str


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
