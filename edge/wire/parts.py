"""What events are made of: the base of all wire types, their numbers, and the parts that several events share. See edge.wire.events."""

from typing import Annotated, ClassVar

import msgspec

from edge.values import Absence, Branch, Emotion, Mode, NoVerdict, Polarity, Role, Signal
from edge.wire.codes import NoTrend, Severity

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
PolarityScore = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Millis = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
# RFC 3339 UTC.
Timestamp = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all wire data; `kind` is the CloudEvents type without prefix, `schema_version` the number after it.

    Fields that it does not name are read past: a newer box may tell more.
    """

    kind: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1


class VoiceData(Wire, frozen=True, kw_only=True):
    """How the customer spoke in this utterance: the emotions of the utterance alone, all else as a difference from the baseline."""

    label: Emotion
    probs: dict[Emotion, Probability]
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
    baseline: float | None = None
    difference: float | None = None
    louder: float | None = None
    baseline_positive: float | None = None
    difference_positive: float | None = None
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
    """What was said, in numbers and codes; the words themselves are never in this event."""

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
    signals: list[Signal]
    model: str | None = None


class IntelligibilityData(Wire, frozen=True, kw_only=True):
    """Whether the words of this utterance were understood: log_odds from the other numbers, docs/verdict.md says how."""

    words: Count
    confidence: Probability
    surprise: float
    rate: float
    log_odds: float
    before: float
    understood: bool


class PartData(Wire, frozen=True, kw_only=True):
    """One branch's share of the verdict: E_c += weight * quality * max(llr_c - excess, -llr_clip), as docs/verdict.md says."""

    branch: Branch
    weight: float
    quality: Probability
    llr_negative: float
    llr_positive: float


class VerdictData(Wire, frozen=True, kw_only=True):
    """The fused result: softmax over E_c = log_prior_c + sum over parts; neutral's llr is 0. Recomputable from itself."""

    mode: Mode
    label: Polarity | None
    p_negative: Probability | None
    p_neutral: Probability | None
    p_positive: Probability | None
    polarity: PolarityScore | None
    log_prior: dict[Polarity, float]
    llr_clip: float
    parts: list[PartData]
    conflict: bool
    reason: NoVerdict | None
    absent: dict[Branch, Absence]


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
    trend_reason: NoTrend | None
    worst: WorstData | None


class LatencyData(Wire, frozen=True, kw_only=True):
    """Milliseconds of wall time from the end of speech, measured on the box; null in a replay faster than real time."""

    endpoint_ms: float | None
    words_ms: float | None
    voice_ms: float | None
    verdict_ms: float | None


class RoleTalkData(Wire, frozen=True, kw_only=True):
    """What one role did in a stretch of call. A number's absence (null) means it could not be measured."""

    role: Role
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


class ReasonData(Wire, frozen=True, kw_only=True):
    """One reason of an alert: a rule that held in the call. It is listed once, with all its evidence."""

    rule: str
    rule_says: str
    severity: Severity
    severity_level: Annotated[int, msgspec.Meta(ge=1, le=4)]
    route: str
    cause: str | None
    probability: Probability | None
    offset_ms: Millis
    evidence: list[EvidenceData]
    drivers: list[str]
    withdrawn: bool


class SpreadData(Wire, frozen=True, kw_only=True):
    """How long something took, over the last thousand times."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class UnderstoodData(Wire, frozen=True, kw_only=True):
    """A line's last calls in which somebody was heard to speak, ten at most, and how many of them were not understood."""

    calls: Count
    not_understood: Count


class LineInfo(Wire, frozen=True, kw_only=True):
    """A configured line."""

    name: str
    desk: str | None
    channels: list[Role]
