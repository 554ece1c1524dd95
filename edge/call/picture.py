"""A call as rules see it: numbers and codes of each utterance, silences, scores. Built live (edge.call.state) or from events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from edge.bus.parts import ScoresData

Side = Literal["customer", "agent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judgement of an utterance. `quality` 0..1; `voice_alone`: no words stand behind it."""

    p_negative: float
    polarity: float
    quality: float
    voice_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One utterance. A judgement that was not made is None; `labelled` is whether the fused one counts in the scores."""

    n: int
    side: Side
    start_ms: int
    end_ms: int
    fused: Judgement | None = None
    labelled: bool = False
    voice: Judgement | None = None
    words: Judgement | None = None
    cause: str | None = None
    cause_p: float = 0.0
    cause_route: str | None = None
    keywords: tuple[tuple[str, float], ...] = ()
    signals: tuple[str, ...] = ()
    words_per_minute: float | None = None
    loudness_db: float | None = None
    broke_in: bool = False
    quote: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of call in milliseconds from its start."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The call so far, `now_ms` from its start. `silences` are mutual ones, the one that goes on now last."""

    now_ms: int
    heard: Sequence[Heard]
    silences: Sequence[Stretch]
    scores: ScoresData
    hears_both: bool

    @property
    def labelled(self) -> list[Heard]:
        """The utterances that the scores count."""
        return [one for one in self.heard if one.labelled]
