"""Wire types: every event's `data`, and the CloudEvents envelope. The JSON Schemas are made from these (edge.bus.schema).

A breaking change of meaning or shape gets a new type (`...v2`); adding a nullable field does not. Unknown is null, and 0
never means unknown. Integers in `_ms` count from the call's start; probabilities are 0..1; polarity is -1..1 (p_positive
minus p_negative); times are RFC 3339 UTC.
"""

from typing import Annotated, ClassVar, Literal

import msgspec

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
PolarityScore = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Millis = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
RoleName = Literal["customer", "agent", "mixed", "system"]


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all wire data; `kind` is the CloudEvents type without prefix, `schema_version` the number after it."""

    kind: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1


# --- parts -----------------------------------------------------------------------------------------------------------


class VoiceData(Wire, frozen=True, kw_only=True):
    """How the customer spoke in this utterance."""

    label: str
    probs: dict[str, Probability]
    p_negative: Probability
    p_neutral: Probability
    p_positive: Probability
    polarity: PolarityScore
    llr_negative: float
    llr_positive: float
    quality: Probability
    voiced_ms: Millis
    windows: Count
    clipping: Probability
    model: str | None = None


class CauseData(Wire, frozen=True, kw_only=True):
    """What a complaint is about."""

    code: str
    p: Probability
    alternative: str | None
    route: str


class SpottedData(Wire, frozen=True, kw_only=True):
    """A configured keyword that was heard (its configured name, not the words around it)."""

    keyword: str
    confidence: Probability
    start_ms: Millis
    end_ms: Millis


class WordsData(Wire, frozen=True, kw_only=True):
    """What was said, in numbers and codes; the words themselves are never in this event.

    `signals` are categories of the service lexicon that spoke (repeat, threat, waiting, ...).
    """

    words: Count
    confidence: Probability
    p_negative: Probability
    p_neutral: Probability
    p_positive: Probability
    polarity: PolarityScore
    llr_negative: float
    llr_positive: float
    quality: Probability
    cause: CauseData | None
    spotted: list[SpottedData]
    signals: list[str]
    model: str | None = None


class PartData(Wire, frozen=True, kw_only=True):
    """One branch's share of the verdict: E_c += weight * quality * clip(llr_c, +-llr_clip)."""

    branch: Literal["voice", "words"]
    weight: float
    quality: Probability
    llr_negative: float
    llr_positive: float


class VerdictData(Wire, frozen=True, kw_only=True):
    """The fused result: softmax over E_c = log_prior_c + sum over parts; neutral's llr is 0. Recomputable from itself."""

    mode: Literal["voice", "words", "both"]
    label: Literal["negative", "neutral", "positive"] | None
    p_negative: Probability | None
    p_neutral: Probability | None
    p_positive: Probability | None
    polarity: PolarityScore | None
    log_prior: dict[str, float]
    llr_clip: float
    parts: list[PartData]
    conflict: bool
    reason: str | None


class TurnData(Wire, frozen=True, kw_only=True):
    """Turn-taking around one utterance."""

    overlap_ms: Millis
    interrupted: bool
    response_gap_ms: int | None
    words_per_minute: float | None
    level_dbfs: float | None
    level_vs_baseline_db: float | None


class WorstData(Wire, frozen=True, kw_only=True):
    """The call's worst window."""

    polarity: PolarityScore
    start_ms: Millis
    end_ms: Millis


class ScoresData(Wire, frozen=True, kw_only=True):
    """Five call scores over fused polarity, neutrals counted. Null where there is nothing to say."""

    mean: PolarityScore | None
    end_weighted: PolarityScore | None
    quarters: list[PolarityScore | None]
    trend: float | None
    trend_reason: Literal["insufficient"] | None
    worst: WorstData | None


class LatencyData(Wire, frozen=True, kw_only=True):
    """Milliseconds of wall time from the end of speech, measured on the box; null in a replay faster than real time."""

    endpoint_ms: float | None
    words_ms: float | None
    voice_ms: float | None
    verdict_ms: float | None


class RoleTalkData(Wire, frozen=True, kw_only=True):
    """What one role did in a stretch of call. A number's absence (null) means it could not be measured."""

    role: RoleName
    talk_ms: Millis
    talk_share: Probability | None
    utterances: Count
    interruptions: Count
    words_per_minute: float | None
    level_dbfs: float | None
    level_vs_baseline_db: float | None


class EvidenceData(Wire, frozen=True, kw_only=True):
    """One utterance that an alert stands on. `quote` is redacted, and null below the tier `quotes`."""

    n: Count
    start_ms: Millis
    end_ms: Millis
    polarity: PolarityScore | None
    p_negative: Probability | None
    cause: str | None
    quote: str | None


# --- the call --------------------------------------------------------------------------------------------------------


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


# --- the box ---------------------------------------------------------------------------------------------------------


class ModelInfo(Wire, frozen=True, kw_only=True):
    """A model in service, with the licence of what it was trained on."""

    name: str
    version: str
    sha256: str
    licence: str
    signed_by: str | None
    validated_on_calls: bool


class LineInfo(Wire, frozen=True, kw_only=True):
    """A configured line."""

    name: str
    desk: str | None
    channels: list[RoleName]


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
    selftest_passed: bool | None


class SelfTest(Wire, frozen=True, kw_only=True):
    """The golden clips through the real path."""

    kind: ClassVar[str] = "device.selftest"
    passed: bool
    checks: dict[str, str]


class ModelChange(Wire, frozen=True, kw_only=True):
    """A model was installed, refused, put on probation, kept or rolled back; or is coming over the bus (`receiving`)."""

    kind: ClassVar[str] = "device.model"
    action: Literal["receiving", "installed", "refused", "probation", "kept", "rolled_back", "pinned"]
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


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """CloudEvents 1.0 structured-mode JSON. `sequence` counts per topic; `historical` marks what was sent late."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: str
    subject: str | None = None
    datacontenttype: str
    dataschema: str
    sequence: int | None = None
    historical: bool
    data: msgspec.Raw
