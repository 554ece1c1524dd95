"""Wire types: the `data` of events about calls; those about the box are in edge.wire.device. The JSON Schemas are made from them.

A breaking change of meaning or shape gets a new type (`...v2`); adding a nullable field does not. Unknown is null, and 0
never means unknown. Integers in `_ms` count from the call's start; probabilities are 0..1; polarity is -1..1 (p_positive
minus p_negative); times are RFC 3339 UTC.
"""

from typing import Annotated, ClassVar

import msgspec

from edge.values import Absence, ClosedBy, Mode, ModelPart, OpenedBy, Privacy, Role, Tone
from edge.wire.codes import AlertEnd, AlertState, CallFailure, Severity
from edge.wire.device import Erased, Feedback, Gap, Health, Info, ModelChange, Reply, SelfTest, State
from edge.wire.parts import (
    Count,
    IntelligibilityData,
    LatencyData,
    Millis,
    ReasonData,
    RoleTalkData,
    ScoresData,
    Timestamp,
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
    started_at: Timestamp
    time_synced: bool
    channels: list[Role]
    mode: Mode
    privacy: Privacy
    opened_by: OpenedBy
    models: dict[ModelPart, str | None]
    pbx_call_id: str | None
    customer_ref: str | None
    queue: str | None
    notice_given: bool | None
    callback: str | None
    agent_ref: str | None


class Updated(Wire, frozen=True, kw_only=True):
    """What is known of whose call it is has changed; each is all that is known now."""

    kind: ClassVar[str] = "call.updated"
    call: str
    line: str
    n: Count
    started_at: Timestamp
    pbx_call_id: str | None
    customer_ref: str | None
    queue: str | None
    notice_given: bool | None
    callback: str | None
    agent_ref: str | None


class UtteranceHeard(Wire, frozen=True, kw_only=True):
    """One utterance, whole; published once, never amended. A null branch has its reason beside it."""

    kind: ClassVar[str] = "call.utterance"
    call: str
    line: str
    n: Count
    turn_id: str
    part: Count
    channel: Count
    role: Role
    start_ms: Millis
    end_ms: Millis
    voiced_ms: Millis
    lost_ms: Millis
    snr_db: float | None
    voice: VoiceData | None
    voice_reason: Absence | None
    words: WordsData | None
    words_reason: Absence | None
    intelligibility: IntelligibilityData | None
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
    tones: list[Tone]
    scores: ScoresData | None


class Summary(Wire, frozen=True, kw_only=True):
    """A call that ended properly, as a whole."""

    kind: ClassVar[str] = "call.summary"
    call: str
    line: str
    desk: str | None
    started_at: Timestamp
    ended_at: Timestamp
    time_synced: bool
    duration_ms: Millis
    closed_by: ClosedBy
    utterances: Count
    customer_utterances: Count
    abstained: Count
    not_understood: Count
    understood: bool | None
    lost_ms: Millis
    roles: list[RoleTalkData]
    silence_ms: Millis | None
    overlap_ms: Millis | None
    longest_silence_ms: Millis | None
    dead_air_ms: Millis | None
    tones: list[Tone]
    scores: ScoresData
    causes: dict[str, Count]
    alerts: list[str]
    models: dict[ModelPart, str | None]
    without_notice: Count
    pbx_call_id: str | None
    customer_ref: str | None
    queue: str | None
    notice_given: bool | None
    callback: str | None
    agent_ref: str | None


class Failed(Wire, frozen=True, kw_only=True):
    """A call that could not be heard to its end, and why."""

    kind: ClassVar[str] = "call.failed"
    call: str
    line: str
    started_at: Timestamp
    reason: CallFailure


class Text(Wire, frozen=True, kw_only=True):
    """Redacted words of one utterance; only where the privacy tier is `transcript`."""

    kind: ClassVar[str] = "call.text"
    call: str
    line: str
    n: Count
    role: Role
    start_ms: Millis
    end_ms: Millis
    text: str


class Alert(Wire, frozen=True, kw_only=True):
    """Something for the recovery team to do: one a call, with every finding as a reason. Each revision is a full snapshot.

    Severity and route are those of its gravest reason. Where a graver one is another team's, the alert ends on the old route's topic
    (`moved`) and is `new` on the other's, under the same id and the next revision.
    """

    kind: ClassVar[str] = "alert"
    alert: str
    revision: Count
    state: AlertState
    end_reason: AlertEnd | None
    moved_to: str | None
    severity: Severity
    severity_level: Annotated[int, msgspec.Meta(ge=1, le=4)]
    route: str
    cause: str | None
    reasons: list[ReasonData]
    site: str
    device: str
    call: str
    line: str
    desk: str | None
    started_at: Timestamp
    customer_ref: str | None
    queue: str | None
    callback: str | None
    pbx_call_id: str | None
    agent_ref: str | None
    offset_ms: Millis
    opened_at: Timestamp
    updated_at: Timestamp
    page_until: Timestamp
    answerable_until: Timestamp
    acknowledged_at: Timestamp | None
    acknowledged_by: str | None
    contacted_at: Timestamp | None
    contacted_by: str | None
    closed_at: Timestamp | None
    closed_by: str | None
    outcome: str | None
    outcome_note: str | None


class OpenAlerts(Wire, frozen=True, kw_only=True):
    """Every alert of the box that still takes answers, gravest first, for who comes late: their last snapshots without the evidence."""

    kind: ClassVar[str] = "alerts"
    alerts: list[Alert]
    left_out: Count


EVENTS: tuple[type[Wire], ...] = (
    Started, Updated, UtteranceHeard, Metrics, Summary, Failed, Text, Alert, OpenAlerts,
    Info, State, Health, SelfTest, ModelChange, Feedback, Erased, Reply, Gap,
)  # fmt: skip


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event before it is given its envelope: deterministic `id`, when it happened, its data. `topic` is without prefix."""

    id: str
    topic: str
    time: str
    data: Wire
    alert_lane: bool = False
