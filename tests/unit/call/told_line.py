"""A line that commands are given to, and what it has told."""

from dataclasses import dataclass, field

import numpy as np

from edge.call.engines import Engines
from edge.call.line import Line
from edge.config import Config, LineConfig, SourceConfig
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Absence, Absent, Mode, Role, Utterance
from edge.verdict.fuse import fuse
from edge.wire.commands import CallContext, CallEnd, CallStart
from edge.wire.events import Event
from tests.conversation import ANGRY, NO_LATENCY, WEIGHTS, shipped_rules, voice

FIELDS = ("pbx_call_id", "customer_ref", "queue", "callback", "agent_ref")


class Recogniser:
    """Keeps what it is fed."""

    def __init__(self) -> None:
        self.fed: list[int] = []

    def channel(self) -> "Recogniser":
        return self

    def accept(self, start: int, _pcm) -> None:
        self.fed.append(start)

    def result(self) -> list:
        return []

    def drop(self) -> None:
        pass

    finish = drop


class NoWords:
    """A judge to whom nothing was said."""

    language = "en"

    def judge(self, _words, _role, _p_agent) -> Absent:
        return Absent(reason=Absence.NO_WORDS)


def a_line(recogniser: Recogniser | None = None, **config) -> Line:
    rules = shipped_rules()
    engines = Engines(emotion=None, recogniser=recogniser, judge=NoWords(), rules=lambda: rules, weights=WEIGHTS, infos={})
    line = LineConfig(name="line-1", source=SourceConfig(device="none"), channels=(Role.CUSTOMER, Role.AGENT))
    return Line(line=line, serving=lambda: (engines, Config(**config)))


def context(**facts) -> CallContext:
    return CallContext(line="line-1", **facts)


def start(**facts) -> CallStart:
    return CallStart(line="line-1", **facts)


END = CallEnd(line="line-1")


@dataclass
class Heard:
    """What a line has told."""

    line: Line
    events: list[Event] = field(default_factory=list)
    answers: list = field(default_factory=list)

    def say(self, command):
        handled = self.line.handle_command(command)
        self.events += handled.events
        self.answers.append(handled.answer)
        return handled.answer

    def of(self, kind: type) -> list:
        return [event.data for event in self.events if isinstance(event.data, kind)]

    def angry(self, times: int = 4) -> None:
        """The customer complains, so that the call has an alert."""
        for n in range(times):
            begin, samples = n * 3 * SAMPLE_RATE, 2 * SAMPLE_RATE
            pcm, voiced = np.zeros(samples, np.int16), np.ones(samples // FRAME_SAMPLES, np.bool_)
            utterance = Utterance(
                channel=0, role=Role.CUSTOMER, start=begin, end=begin + samples, speech_end=begin + samples,
                pcm=pcm, voiced=voiced, turn=n, level_dbfs=-20.0,
            )  # fmt: skip
            verdict = fuse(mode=Mode.BOTH, voice=voice(2), words=ANGRY, weights=WEIGHTS)
            self.events += self.line._call.heard(utterance, voice=voice(2), words=ANGRY, verdict=verdict, latency=NO_LATENCY)
