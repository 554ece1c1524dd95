"""A call as rules see it. Each utterance is seen through one frozen view, made of its event: live and from the store alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from edge.call.rules.conditions import Side
from edge.values import Role, Signal
from edge.wire.events import UtteranceHeard
from edge.wire.parts import ScoresData, VerdictData, VoiceData, WordsData

Branch = Literal["fused", "voice", "words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judgement of an utterance. `quality` 0..1; `voice_alone`: no words stand behind it."""

    p_negative: float
    polarity: float
    quality: float
    voice_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceView:
    """One utterance; rules and scores read it. A judgement that was not made is None, and `unjudged` says why, by branch.

    `understood` is whether its words were; None where there were none. `keywords` are configured names with their confidence; `quote` is
    the redacted text, for the tiers that let it out.
    """

    n: int
    side: Side
    start_ms: int
    end_ms: int
    fused: Judgement | None
    voice: Judgement | None
    words: Judgement | None
    unjudged: Mapping[Branch, str] = field(hash=False)
    cause: str | None
    cause_p: float
    cause_route: str | None
    keywords: tuple[tuple[str, float], ...]
    signals: tuple[Signal, ...]
    words_per_minute: float | None
    loudness_db: float | None
    broke_in: bool
    understood: bool | None = None
    quote: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, heard: UtteranceHeard, *, quote: str | None = None) -> Self:
        """The view of an utterance as its event tells it; `quote` is its redacted text, which is never in that event."""
        words, cause = heard.words, heard.words.cause if heard.words else None
        reasons = {
            "fused": heard.verdict.reason if heard.verdict else "not_scored",
            "voice": heard.voice_reason,
            "words": heard.words_reason,
        }
        return cls(
            n=heard.n,
            side=Side.AGENT if heard.role == Role.AGENT else Side.CUSTOMER,
            start_ms=heard.start_ms,
            end_ms=heard.end_ms,
            fused=_fused(heard.verdict),
            voice=_of_branch(heard.voice, voice_alone=True),
            words=_of_branch(words, voice_alone=False),
            unjudged={branch: reason for branch, reason in reasons.items() if reason is not None},  # type: ignore[misc]
            cause=cause.code if cause else None,
            cause_p=cause.p if cause else 0.0,
            cause_route=cause.route if cause else None,
            keywords=tuple((one.keyword, one.confidence) for one in words.spotted) if words else (),
            signals=tuple(words.signals) if words else (),
            words_per_minute=heard.turn.words_per_minute,
            loudness_db=heard.turn.level_vs_baseline_db,
            broke_in=heard.turn.interrupted,
            understood=None if heard.intelligibility is None else heard.intelligibility.understood,
            quote=quote,
        )

    @property
    def labelled(self) -> bool:
        """Whether it has a fused label, so that the scores count it."""
        return self.fused is not None

    @property
    def polarity(self) -> float:
        """Its fused polarity, -1..1. Raises ValueError where it has no label: nothing is known then, and 0 would say something."""
        if self.fused is None:
            raise ValueError(f"utterance {self.n} has no label, and so no polarity")
        return self.fused.polarity

    @property
    def middle_ms(self) -> float:
        """Where the scores count it."""
        return (self.start_ms + self.end_ms) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of call in milliseconds from its start."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """The call so far, `now_ms` from its start.

    `silences` are mutual ones that the call is known to have outlived; `quiet_ms` is how long nobody has spoken now: whether the call
    still goes on is not known.
    """

    now_ms: int
    heard: Sequence[UtteranceView]
    silences: Sequence[Stretch]
    scores: ScoresData
    hears_both: bool
    quiet_ms: int = 0

    @property
    def labelled(self) -> list[UtteranceView]:
        """The utterances that the scores count."""
        return [one for one in self.heard if one.labelled]


def _fused(verdict: VerdictData | None) -> Judgement | None:
    """A verdict that has a label; its quality is the weighted sum of its parts', at most 1."""
    if verdict is None or verdict.label is None or verdict.p_negative is None or verdict.polarity is None:
        return None
    return Judgement(
        p_negative=verdict.p_negative,
        polarity=verdict.polarity,
        quality=min(1.0, sum(part.weight * part.quality for part in verdict.parts)),
        voice_alone=all(part.branch == "voice" for part in verdict.parts),
    )


def _of_branch(data: VoiceData | WordsData | None, *, voice_alone: bool) -> Judgement | None:
    if data is None:
        return None
    return Judgement(p_negative=data.p_negative, polarity=data.polarity, quality=data.quality, voice_alone=voice_alone)
