"""What the branches say of an utterance: a reading, or nothing and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.values.codes import Absence, Emotion, Polarity, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Calibrated log-odds against neutral with the training prior taken out: natural log, and 0..1 quality."""

    negative: float
    positive: float
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceReading:
    """How it was said. `probs` are the seven emotions, 0..1, sum 1; the three polarities are calibrated, sum 1.

    Polarities and evidence are of the utterance alone (`baseline` None), or of its difference from what the caller and the line are
    used to: `baseline` is that, `difference` how far above it the utterance lies, `louder` what being louder than so far adds to
    it (nats of log-odds against neutral; the emotions stay those of the utterance alone). `speech_dbfs` is the loudness without pauses,
    `model` the name and version of what judged it.
    """

    probs: Mapping[Emotion, float]
    label: Emotion
    p_negative: float
    p_neutral: float
    p_positive: float
    evidence: Evidence
    voiced_ms: int
    windows: int
    clipping: float
    speech_dbfs: float
    baseline: float | None = None
    difference: float | None = None
    louder: float | None = None
    baseline_positive: float | None = None
    difference_positive: float | None = None
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
class Intelligibility:
    """Whether an utterance was understood, and what speaks for it (edge.words.intelligibility).

    `confidence` is the recogniser's own mean, 0..1, `surprise` nats a word under a language model of service calls, `rate` words a
    second of voice. `log_odds` is what this utterance says, `before` what the call said so far.
    """

    words: int
    confidence: float
    surprise: float
    rate: float
    log_odds: float
    before: float
    understood: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsReading:
    """What was said. `redacted` is the only form of the words that may leave the branch, and only as the tier allows.

    `signals` are the categories of the lexicon entries that spoke and the groups of phrases that were heard: codes, no words.
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
    signals: tuple[Signal, ...] = ()
    label: Polarity | None = None
    model: str | None = None
    intelligibility: Intelligibility | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A branch said nothing, and why. `intelligibility`: of words that were heard and are not counted, where it was judged."""

    reason: Absence
    intelligibility: Intelligibility | None = None
