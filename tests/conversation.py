"""A conversation written as literals: what the branches say of it and who speaks when, without sound."""

from datetime import UTC, datetime
from functools import cache

import numpy as np

from edge.call.rules.rule_set import RuleSet, load_rules
from edge.call.rules.view import UtteranceView
from edge.call.state import Call
from edge.clock import Anchor
from edge.config import Config, LineConfig, SourceConfig
from edge.values import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Absence,
    Absent,
    Activity,
    CallClosed,
    CallOpened,
    Cause,
    ClosedBy,
    Evidence,
    Intelligibility,
    Mode,
    OpenedBy,
    Role,
    Spotted,
    ToneHeard,
    Utterance,
    VoiceReading,
    WordsReading,
)
from edge.verdict.fuse import fuse
from edge.wire.commands import AlertAction
from edge.wire.context import Context
from edge.wire.events import Alert, Event, UtteranceHeard
from edge.wire.parts import LatencyData, ReasonData

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NO_LATENCY = LatencyData(endpoint_ms=None, words_ms=None, voice_ms=None, verdict_ms=None)
WEIGHTS = {"voice": 0.4, "words": 1.0}


@cache
def shipped_rules() -> RuleSet:
    """The rules of a box that is given none, read once for all conversations."""
    return load_rules(None)


def softmax(negative: float, positive: float) -> tuple[float, float, float]:
    powers = np.exp(np.nan_to_num([negative, 0.0, positive], posinf=50, neginf=-50))
    return tuple(float(p) for p in powers / powers.sum())


def voice(negative: float = 0.0, positive: float = 0.0, quality: float = 0.9, speech_dbfs: float = -26.0) -> VoiceReading:
    p_negative, p_neutral, p_positive = softmax(negative, positive)
    return VoiceReading(
        probs={"angry": p_negative, "neutral": p_neutral, "happy": p_positive},
        label="angry" if negative > 0 else "neutral",
        p_negative=p_negative,
        p_neutral=p_neutral,
        p_positive=p_positive,
        evidence=Evidence(negative=negative, positive=positive, quality=quality),
        voiced_ms=2000,
        windows=2,
        clipping=0.0,
        speech_dbfs=speech_dbfs,
    )


def words(
    negative: float = 0.0,
    positive: float = 0.0,
    quality: float = 0.9,
    *,
    cause: str | None = None,
    cause_p: float = 0.8,
    keyword: str | None = None,
    signals: tuple[str, ...] = (),
    count: int = 6,
    redacted: str = "my name is [name] and this is not good",
) -> WordsReading:
    p_negative, p_neutral, p_positive = softmax(negative, positive)
    return WordsReading(
        redacted=redacted,
        words=count,
        confidence=0.9,
        p_negative=p_negative,
        p_neutral=p_neutral,
        p_positive=p_positive,
        evidence=Evidence(negative=negative, positive=positive, quality=quality),
        cause=Cause(code=cause, p=cause_p, alternative=None, route=f"{cause}-team") if cause else None,
        spotted=(Spotted(keyword=keyword, confidence=0.9, start=0, end=1600),) if keyword else (),
        signals=signals,
    )


ANGRY = words(3.5, -1.5, cause="billing")
CALM = words(-1.0, -1.0)
SHOUTING = voice(4.0, -4.0, 1.0)
PLEASED = words(-2.0, 3.0)
LEAVING = words(1.0, 0.0, cause="retention", redacted="i want to leave [company]")
SUES = words(1.0, 0.0, cause="legal_or_regulator")
# Of the one call that a conversation is, where it is given no other name.
ALERT = "0190-call:alert"
SILENT = Absent(reason=Absence.NO_WORDS)
FOREIGN = Absent(
    reason=Absence.NOT_UNDERSTOOD,
    intelligibility=Intelligibility(words=9, confidence=0.7, surprise=8.5, rate=5.0, log_odds=-3.0, before=2.0, understood=False),
)
UNHEARD = Absent(reason=Absence.TOO_SHORT)


def seen(**given) -> UtteranceView:
    """An utterance as rules see it: the customer's, and nothing known of it but what is given."""
    nothing = {
        "n": 1, "side": "customer", "start_ms": 0, "end_ms": 2000, "fused": None, "voice": None, "words": None, "unjudged": {},
        "cause": None, "cause_p": 0.0, "cause_route": None, "keywords": (), "signals": (),
        "words_per_minute": None, "loudness_db": None, "broke_in": False,
    }  # fmt: skip
    return UtteranceView(**{**nothing, **given})


class Conversation:
    """Drives a Call by the second and keeps its events."""

    def __init__(self, *, rules: RuleSet | None = None, roles=(Role.CUSTOMER, Role.AGENT), start: int = 0, **given) -> None:
        line = LineConfig(name="line-1", desk="4711", source=SourceConfig(file="call.wav"), channels=tuple(roles), **given.pop("line", {}))
        self.config = Config(**given.pop("config", {}))
        self.roles = tuple(roles)
        self.now = start
        self.call = Call(
            call_id=given.pop("call_id", "0190-call"),
            line=line,
            config=self.config,
            anchor=Anchor(sample=start, utc=NOON, synced=True),
            opened=CallOpened(start=start, opened_by=OpenedBy.VOICE),
            rules=rules or shipped_rules(),
            models={"voice": "v1"},
            context=Context.of(context) if (context := given.pop("context", None)) else None,
            **given,
        )
        self.events: list[Event] = list(self.call.started())
        self._turn = 0

    def quiet(self, seconds: float) -> "Conversation":
        return self._frames(seconds, ())

    def lost(self, seconds: float) -> "Conversation":
        return self._frames(seconds, (), lost=True)

    def says(self, role: Role, seconds: float = 2.0, *, said=SILENT, sounds=UNHEARD, over=(), **given) -> "Conversation":
        """`role` speaks for `seconds` (with `over` speaking too), and the utterance is judged when it ends."""
        start = self.now
        self._frames(seconds, (role, *over))
        self._turn += 1
        samples = self.now - start
        fields = {
            "channel": self.roles.index(role),
            "role": role,
            "start": start,
            "end": self.now,
            "speech_end": self.now,
            "pcm": np.zeros(samples, np.int16),
            "voiced": np.ones(samples // FRAME_SAMPLES, np.bool_),
            "turn": self._turn,
            "level_dbfs": -20.0,
        }
        utterance = Utterance(**{**fields, **given})
        scored = role in (Role.CUSTOMER, Role.MIXED)
        verdict = fuse(mode=Mode(self.config.mode), voice=sounds, words=said, weights=WEIGHTS) if scored else None
        self.events += self.call.heard(utterance, voice=sounds, words=said, verdict=verdict, latency=NO_LATENCY)
        return self

    def customer(self, said=SILENT, sounds=UNHEARD, seconds: float = 2.0, **given) -> "Conversation":
        return self.says(Role.CUSTOMER, seconds, said=said, sounds=sounds, **given)

    def agent(self, seconds: float = 2.0, **given) -> "Conversation":
        return self.says(Role.AGENT, seconds, **given)

    def tone(self, name: str, role: Role = Role.AGENT) -> "Conversation":
        self.events += self.call.tone(ToneHeard(channel=self.roles.index(role) if role in self.roles else 0, name=name, start=self.now))
        return self

    def command(self, command) -> "Conversation":
        if isinstance(command, AlertAction):
            self.events += self.call.act(command).events
        else:
            self.events += self.call.update(Context.of(command))
        return self

    def over(self, closed_by: ClosedBy = ClosedBy.IDLE) -> "Conversation":
        self.events += self.call.closed(CallClosed(end=self.now, closed_by=closed_by))
        return self

    @property
    def alerts(self) -> list[Alert]:
        return [event.data for event in self.events if isinstance(event.data, Alert)]

    def alert(self, rule: str) -> list[Alert]:
        """The snapshots of which `rule` is a reason."""
        return [alert for alert in self.alerts if any(reason.rule == rule for reason in alert.reasons)]

    def reason(self, rule: str) -> list[ReasonData]:
        """`rule` in each snapshot of which it is a reason."""
        return [reason for alert in self.alerts for reason in alert.reasons if reason.rule == rule]

    @property
    def found(self) -> list[str]:
        """The rules that were told, in order."""
        return list(dict.fromkeys(reason.rule for alert in self.alerts for reason in alert.reasons))

    @property
    def utterances(self) -> list[UtteranceHeard]:
        return [event.data for event in self.events if isinstance(event.data, UtteranceHeard)]

    def data(self, kind: type) -> list:
        return [event.data for event in self.events if isinstance(event.data, kind)]

    def _frames(self, seconds: float, speaking, *, lost: bool = False) -> "Conversation":
        flags = tuple(role in speaking for role in self.roles)
        levels = tuple(-20.0 if flag else -60.0 for flag in flags)
        for _ in range(round(seconds * SAMPLE_RATE / FRAME_SAMPLES)):
            self.events += self.call.active(Activity(start=self.now, speaking=flags, level_dbfs=levels, lost=lost))
            self.now += FRAME_SAMPLES
        return self


def furious(times: int = 3, **given) -> Conversation:
    """A customer who is angry so many times, and an agent who answers."""
    call = Conversation(**given)
    for _ in range(times):
        call.customer(ANGRY).agent()
    return call
