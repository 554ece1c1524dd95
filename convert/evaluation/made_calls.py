"""Made calls with a known truth: times and voices of real calm calls, words of calm turns, and displeasure from a known moment on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from convert.sound.calls import read_calls
from convert.sound.dataset import load_pcm
from convert.words.sets import Calm, Pair
from edge.call.rules.rule_set import RuleSet
from edge.call.state import Call
from edge.clock import Anchor
from edge.config import Config, LineConfig, SourceConfig
from edge.values import SAMPLE_RATE, Absent, Branch, CallOpened, Mode, OpenedBy, Role, Utterance, VoiceReading, WordsReading
from edge.verdict.fuse import fuse
from edge.voice.baseline import CallerBaseline, unlearnt
from edge.voice.clip import whole_clip
from edge.voice.emotion import EmotionModel
from edge.wire.events import Alert
from edge.wire.parts import LatencyData
from edge.words.branch import WordsJudge

Rng = np.random.Generator
# A call has at least this many of the customer's turns where a real one does.
_SHORTEST = 10
# Displeasure begins with one of the customer's first turns, and most of what follows is displeased: the rest are answers and numbers.
_BEGINS = 5
_STAYS = 0.75
_NO_LATENCY = LatencyData(endpoint_ms=None, words_ms=None, voice_ms=None, verdict_ms=None)
_NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """When one utterance of a real calm caller was said (samples of the call), and what the voice makes of it within its call."""

    start: int
    end: int
    voice: VoiceReading | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCall:
    """What a customer says in which slot. `displeased_from`: the slot of the first displeased turn, None where there is none."""

    slots: tuple[Slot, ...]
    texts: tuple[str, ...]
    displeased_from: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a box told of a made call: each rule's first moment, in seconds from the first displeased turn (a calm call: from its start)."""

    seconds: Mapping[str, float]


def slots_of(model: EmotionModel, table: Path) -> list[list[Slot]]:
    """Every real calm call of the CSV `table`, as a line hears it that has the shipped prior. Raises UsageError, SourceError."""
    calls: dict[str, list[Slot]] = defaultdict(list)
    callers: dict[str, CallerBaseline] = {}
    for clip in read_calls(table, people=True):
        assert clip.piece is not None  # noqa: S101 (an utterance of a call)
        _, start, end = clip.piece
        caller = callers.setdefault(clip.speaker, CallerBaseline(line=unlearnt(model.prior), prior=model.prior))
        calls[clip.speaker].append(Slot(start=start, end=end, voice=caller.judge(model.read(whole_clip(load_pcm(clip))))))
    return [call for call in calls.values() if len(call) >= _SHORTEST]


def calm_calls(slots: Sequence[Sequence[Slot]], turns: Sequence[Calm], count: int, rng: Rng) -> list[MadeCall]:
    """`count` calls of customers who are calm throughout: turns of one trade a call."""
    trades = _by_trade(turns)
    return [_made(_some(slots, rng), trades[list(trades)[int(rng.integers(len(trades)))]], (), rng) for _ in range(count)]


def angry_calls(slots: Sequence[Sequence[Slot]], turns: Sequence[Calm], pairs: Sequence[Pair], count: int, rng: Rng) -> list[MadeCall]:
    """`count` calls of customers who become displeased. The voice stays a calm one: no real angry caller was to be had."""
    trades, displeased = _by_trade(turns), [pair.displeased for pair in pairs]
    return [_made(_some(slots, rng), trades[list(trades)[int(rng.integers(len(trades)))]], displeased, rng) for _ in range(count)]


def _by_trade(turns: Sequence[Calm]) -> dict[str, list[str]]:
    trades: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        trades[turn.group].append(turn.text)
    return dict(trades)


def _some(slots: Sequence[Sequence[Slot]], rng: Rng) -> tuple[Slot, ...]:
    """A real call from some utterance on, with at least ten left."""
    call = slots[int(rng.integers(len(slots)))]
    return tuple(call[int(rng.integers(len(call) - _SHORTEST + 1)) :])


def _made(slots: tuple[Slot, ...], calm: Sequence[str], displeased: Sequence[str], rng: Rng) -> MadeCall:
    begins = int(rng.integers(_BEGINS)) if displeased else None
    texts = []
    for place in range(len(slots)):
        angry = begins is not None and (place == begins or (place > begins and rng.random() < _STAYS))
        source = displeased if angry else calm
        texts.append(source[int(rng.integers(len(source)))])
    return MadeCall(slots=slots, texts=tuple(texts), displeased_from=begins)


class Box:
    """What a box would tell of made calls, with these rules and weights. Each text is judged once."""

    def __init__(self, judge: WordsJudge) -> None:
        self._judge = judge
        self._read: dict[str, WordsReading | Absent] = {}

    def tell(self, made: MadeCall, rules: RuleSet, weights: Mapping[Branch, float]) -> Told:
        """The whole way of a call behind its models: fusion, state, rules, alert. Of a displeased call no more than the first alert."""
        opened = made.slots[0].start
        line = LineConfig(name="line-1", source=SourceConfig(file="made"), channels=(Role.CUSTOMER,))
        call = Call(
            call_id="made",
            line=line,
            config=Config(),
            anchor=Anchor(sample=opened, utc=_NOON, synced=True),
            opened=CallOpened(start=opened, opened_by=OpenedBy.VOICE),
            rules=rules,
            models={},
        )
        began = made.slots[made.displeased_from or 0].start
        seconds: dict[str, float] = {}
        for turn, (slot, text) in enumerate(zip(made.slots, made.texts, strict=True)):
            words = self._words(text)
            verdict = fuse(mode=Mode.BOTH, voice=slot.voice, words=words, weights=weights)
            for event in call.heard(_utterance(slot, turn), voice=slot.voice, words=words, verdict=verdict, latency=_NO_LATENCY):
                if isinstance(event.data, Alert):
                    for reason in event.data.reasons:
                        seconds.setdefault(reason.rule, (slot.end - began) / SAMPLE_RATE)
            if made.displeased_from is not None and any(at > 0 for at in seconds.values()):
                break
        return Told(seconds=seconds)

    def _words(self, text: str) -> WordsReading | Absent:
        if text not in self._read:
            self._read[text] = self._judge.judge_text(text)
        return self._read[text]


def _utterance(slot: Slot, turn: int) -> Utterance:
    voiced_ms = slot.voice.voiced_ms if isinstance(slot.voice, VoiceReading) else 0
    return Utterance(
        channel=0,
        role=Role.CUSTOMER,
        start=slot.start,
        end=slot.end,
        speech_end=slot.end,
        pcm=np.zeros(0, np.int16),
        voiced=np.ones(max(1, voiced_ms // 20), np.bool_),
        turn=turn,
        level_dbfs=-20.0,
    )
