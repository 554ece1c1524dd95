"""Wire types: the `data` of events in which the box tells of itself. What holds for all of them is said in edge.wire.events."""

from typing import ClassVar

from edge.values import Branch, Mode, ModelKind, ModelPart, Polarity, Privacy, SourceState
from edge.wire.codes import BoxState, CheckOutcome, GapReason, ModelAction, ReplyReason
from edge.wire.parts import Count, LineInfo, SpreadData, Timestamp, UnderstoodData, Wire


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
    mode: Mode
    privacy: Privacy
    lines: list[LineInfo]
    models: dict[ModelPart, ModelInfo | None]
    weights: dict[Branch, float]
    weights_fitted: bool
    unsigned_allowed: bool


class State(Wire, frozen=True, kw_only=True):
    """How this box is (retained; `lost` is its will). `boot` counts starts, so that an old will cannot mask a new start."""

    kind: ClassVar[str] = "device.state"
    state: BoxState
    boot: Count
    since: Timestamp | None
    reasons: list[str]
    lines: dict[str, SourceState]


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
    understood: dict[str, UnderstoodData]
    sequences: dict[str, Count]


class CheckData(Wire, frozen=True, kw_only=True):
    """One check of the self-test."""

    outcome: CheckOutcome
    says: str | None = None
    remedy: str | None = None


class SelfTest(Wire, frozen=True, kw_only=True):
    """The golden clips through the real path."""

    kind: ClassVar[str] = "device.selftest"
    passed: bool
    checks: dict[str, CheckData]


class ModelChange(Wire, frozen=True, kw_only=True):
    """A model was installed, refused, put on probation, kept or rolled back; or is coming over the bus (`receiving`)."""

    kind: ClassVar[str] = "device.model"
    action: ModelAction
    model: ModelKind
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
    label: Polarity | None
    alert: str | None
    justified: bool | None
    by: str


class Erased(Wire, frozen=True, kw_only=True):
    """A customer was erased: the box has forgotten these calls and alerts. Whoever has copies erases them, too."""

    kind: ClassVar[str] = "device.erased"
    calls: list[str]
    alerts: list[str]
    events: Count
    announced: Count
    by: str | None


class Reply(Wire, frozen=True, kw_only=True):
    """What became of a command that had an `id` or a response topic."""

    kind: ClassVar[str] = "reply"
    command: str
    id: str | None
    accepted: bool
    reason: ReplyReason | None
    call: str | None
    alert: str | None
    revision: Count | None
    by: str | None
    at: Timestamp | None


class Gap(Wire, frozen=True, kw_only=True):
    """Events that are lost: sequences `first`..`last` of `topic` will never come."""

    kind: ClassVar[str] = "device.gap"
    topic: str
    first: Count | None
    last: Count | None
    lost: Count | None
    reason: GapReason
