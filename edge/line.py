"""The way of a call on one line, live and replayed alike: frames in, events out. No threads, no disk, no network.

frame -> segment.Segmenter -> happenings -> voice + words -> verdict.fuse -> call.state.Call -> events
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from edge.box.clock import Anchor, uuid7
from edge.box.sides import Sides
from edge.bus.commands import AlertAction, CallContext, CallEnd, CallStart
from edge.bus.events import Event
from edge.bus.parts import LatencyData
from edge.call.desk import Desk
from edge.call.state import Call
from edge.config import Config, LineConfig
from edge.engines import Ears, Engines
from edge.segment.segmenter import Segmenter
from edge.values import (
    Activity,
    CallClosed,
    CallOpened,
    Frame,
    Happening,
    Role,
    SpeechAudio,
    SpeechDropped,
    ToneHeard,
    Utterance,
    WordsReading,
    samples_to_ms,
)


class Line:
    """One line's state between frames. Owned by one thread."""

    def __init__(self, *, line: LineConfig, config: Config, engines: Engines, new_call_id: Callable[[], str] = uuid7) -> None:
        self.overloaded = False
        # What the next call will be bound to; may be replaced at any time, from any thread. `_engines` are the present call's.
        self.serves, self._engines = (engines, config), engines
        self._line, self._new_call_id = line, new_call_id
        self._sides = Sides(line.channels)
        self._segmenter = Segmenter(roles=line.channels, idle_s=line.idle_s, tone_plan=line.tones)
        self._call: Call | None = None
        self._ears: Ears | None = None
        self._context = CallContext()
        self._desk = Desk()
        self._heard_to, self._arrived = 0, None  # type: int, float | None

    @property
    def in_call(self) -> bool:
        """Whether a call is open."""
        return self._call is not None

    @property
    def swapped(self) -> str | None:
        """What to tell where the line's channels look swapped; None where they do not."""
        return self._sides.swapped

    def hear(self, frame: Frame, arrived: float | None = None) -> Iterator[Event]:
        """The events that 20 ms more of sound bring about. `arrived`: monotonic seconds at capture; None measures no latency."""
        self._heard_to, self._arrived = frame.start + frame.pcm.shape[1], arrived
        yield from self._follow(self._segmenter.feed(frame))

    def obey(self, command: CallStart | CallEnd | CallContext | AlertAction) -> Iterator[Event]:
        """The events that a command from the bus brings about: it beats what the line would guess."""
        match command:
            case CallStart():
                yield from self._follow(self._segmenter.open_call("command"))
            case CallEnd():
                yield from self.end("command")
            case CallContext() if self._call is None:
                self._context = command
            case CallContext() if self._call is not None:
                yield from self._call.command(command)
            case AlertAction():
                # An alert outlives its call: the team calls back when it is over.
                of_this_call = self._call.command(command) if self._call is not None else []
                yield from of_this_call or self._desk.command(command, datetime.now(UTC))

    def end(self, reason: str) -> Iterator[Event]:
        """Close the open call, if any: what was being said is judged first."""
        yield from self._follow(self._segmenter.close_call(reason))

    def _follow(self, happenings: Iterable[Happening]) -> Iterator[Event]:
        for happening in happenings:
            if isinstance(happening, CallOpened):
                yield from self._open(happening)
            if self._call is None or self._ears is None:
                continue
            match happening:
                case SpeechAudio():
                    self._ears.accept(happening, overloaded=self.overloaded)
                case SpeechDropped(channel=channel):
                    self._ears.drop(channel)
                case Utterance():
                    yield from self._judge(happening, self._call, self._ears)
                case Activity():
                    yield from self._call.active(happening)
                case ToneHeard(channel=channel, name=name):
                    self._sides.tone(channel, name)
                    yield from self._call.tone(happening)
                case CallClosed():
                    yield from self._call.closed(happening)
                    self._desk.keep(self._call.alerts, datetime.now(UTC))
                    self._ears.close()
                    self._sides.call_over()
                    self._call = self._ears = None

    def _open(self, opened: CallOpened) -> Iterator[Event]:
        self._engines, config = self.serves
        self._ears = self._engines.ears(self._line, config)
        self._call = Call(
            call_id=self._new_call_id(),
            line=self._line,
            config=config,
            # The call began some samples ago, and a busy box hears of it late: the wall clock is counted back from when they came.
            anchor=Anchor.take(self._heard_to, arrived=self._arrived),
            opened=opened,
            rules=self._engines.rules(),
            models=self._ears.models,
            ledger=self._engines.ledger,
            strictness=self._engines.strictness,
        )
        yield from self._call.started()
        if self._context != CallContext():
            yield from self._call.command(self._context)
            self._context = CallContext()

    def _judge(self, utterance: Utterance, call: Call, ears: Ears) -> Iterator[Event]:
        endpoint = self._since(utterance.speech_end)
        words = ears.words(utterance)
        if isinstance(words, WordsReading):
            self._sides.said(utterance.role, words.redacted)
        words_done = self._since(utterance.speech_end)
        voice = ears.voice(utterance)
        voice_done = self._since(utterance.speech_end)
        scored = utterance.role in (Role.CUSTOMER, Role.MIXED)
        verdict = ears.verdict(voice, words) if scored else None
        latency = LatencyData(endpoint_ms=endpoint, words_ms=words_done, voice_ms=voice_done, verdict_ms=self._since(utterance.speech_end))
        call.take_rules(self._engines.rules())
        yield from call.heard(utterance, voice=voice, words=words, verdict=verdict, latency=latency)

    def _since(self, sample: int) -> float | None:
        """Milliseconds of wall time since `sample` was spoken."""
        if self._arrived is None:
            return None
        return round((time.monotonic() - self._arrived) * 1000 + samples_to_ms(self._heard_to - sample), 1)
