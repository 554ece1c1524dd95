"""The way of a call on one line, live and replayed alike: frames in, events out. No threads, no disk, no network.

frame -> segment.Segmenter -> segment_events -> voice + words -> verdict.fuse -> call.state.Call -> events
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edge.call.channel_swap import ChannelSwapDetector
from edge.call.engines import CallModels, Engines
from edge.call.next_calls import NextCalls
from edge.call.past_calls import Handled, PastCalls
from edge.call.rules.review import Watch
from edge.call.state import Call
from edge.call.understood import UnderstoodCalls
from edge.clock import Anchor, uuid7
from edge.config import Config, LineConfig
from edge.errors import Problem
from edge.segment.segmenter import Segmenter
from edge.values import (
    SAMPLE_RATE,
    Absence,
    Absent,
    Activity,
    CallClosed,
    CallOpened,
    ClosedBy,
    Frame,
    OpenedBy,
    Role,
    SegmentEvent,
    SpeechAudio,
    SpeechDropped,
    SpeechStarted,
    ToneHeard,
    Utterance,
    WordsReading,
    samples_to_ms,
)
from edge.wire.codes import ReplyReason
from edge.wire.commands import AlertAction, CallContext, CallEnd, CallStart
from edge.wire.context import Context, Customer
from edge.wire.events import Event
from edge.wire.parts import LatencyData
from edge.wire.replies import Answer, refused

LineCommand = CallStart | CallEnd | CallContext | AlertAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was dropped of a customer: open calls, and how many calls to come of which something was known."""

    calls: tuple[str, ...] = ()
    announced: int = 0


class Line:
    """One line's state between frames. Owned by one thread."""

    def __init__(
        self,
        *,
        line: LineConfig,
        serving: Callable[[], tuple[Engines, Config]],
        past: PastCalls | None = None,
        understood_calls: UnderstoodCalls | None = None,
        watch: Watch | None = None,
        recorded_s: float = 0.0,
    ) -> None:
        """`serving` is asked as each call opens: what it is bound to until it closes. `_engines` are the present call's.

        `past` knows the calls that are over, `understood_calls` which of them were understood (None: there are none yet);
        `watch` is told of every look at every rule. `recorded_s` is the length of a recording that is played faster than it was spoken.
        """
        self._recorded_s = recorded_s
        self.overloaded = False
        self._serving, self._engines = serving, serving()[0]
        self._line, self._watch = line, watch
        self._swap_detector = ChannelSwapDetector(line.channels)
        self._understood_calls = understood_calls or UnderstoodCalls()
        self._segmenter = Segmenter(roles=line.channels, idle_s=line.idle_s, tone_plan=line.tones, exact=line.source.listen is not None)
        self._call: Call | None = None
        self._models: CallModels | None = None
        self._past = past or PastCalls()
        # Of the call that is about to open, where a command opens it.
        self._opening = Context()
        self._next_calls = NextCalls(serving()[1].context_keep_s)
        # Channels on which somebody speaks since before the caller had been told.
        self._without_notice: set[int] = set()
        self._heard_to, self._arrived = 0, None  # type: int, float | None

    @property
    def in_call(self) -> bool:
        """Whether a call is open."""
        return self._call is not None

    @property
    def call_id(self) -> str | None:
        """Our id of the open call; None where none is open."""
        return None if (call := self._call) is None else call.call_id

    @property
    def pbx_call_id(self) -> str | None:
        """The switchboard's own; None where no call is open, or nobody has said."""
        return None if (call := self._call) is None else call.context.pbx_call_id

    @property
    def swapped(self) -> Problem | None:
        """What to tell where the line's channels look swapped; None where they do not."""
        return self._swap_detector.swapped

    @property
    def same_sound(self) -> bool:
        """Whether the line's two channels carry the same sound, which makes it a mixed one."""
        return self._segmenter.same_sound

    def process_frame(self, frame: Frame, arrived: float | None = None) -> Iterator[Event]:
        """The events that 20 ms more of sound bring about. `arrived`: monotonic seconds at capture; None measures no latency."""
        self._heard_to, self._arrived = frame.start + frame.pcm.shape[1], arrived
        yield from self._follow(self._segmenter.feed(frame))

    def handle_command(self, command: LineCommand) -> Handled:
        """What a command from the bus brings about: it beats what the line would guess."""
        match command:
            case CallStart():
                return self._start(Context.of(command))
            case CallEnd():
                answer = refused(ReplyReason.NO_CALL) if self._call is None else Answer(call=self._call.call_id)
                return Handled(events=list(self.end(ClosedBy.COMMAND)), answer=answer)
            case CallContext():
                return self._place(Context.of(command), command.call)
            case AlertAction() if self._call is not None and command.alert == self._call.alert.id:
                return self._call.act(command)
            case AlertAction():
                # An alert outlives its call: the team calls back when it is over.
                return self._past.act(command)

    def connect(self, context: Context, arrived: float) -> Iterator[Event]:
        """Begin the call that a connection is, of which `context` is known; `arrived`: monotonic seconds of its first sample."""
        self._opening, self._arrived = context, arrived
        yield from self._follow(self._segmenter.open_call(OpenedBy.CONNECTION))

    def _start(self, context: Context) -> Handled:
        if self._call is not None and None is not context.pbx_call_id == self._call.context.pbx_call_id:
            # Voice was heard before the switchboard said so, or it says so twice.
            return Handled(events=self._call.update(context), answer=Answer(reason=ReplyReason.ALREADY, call=self._call.call_id))
        self._opening = context
        events = list(self._follow(self._segmenter.open_call()))
        return Handled(events=events, answer=Answer(call=None if self._call is None else self._call.call_id))

    def _place(self, context: Context, call_id: str | None) -> Handled:
        """Put what the switchboard says of a call where it belongs, and nowhere else.

        A name (ours, or the switchboard's) is taken at its word. Without one it is of the open call, if it fits that, else of the next one.
        """
        call, name = self._call, context.pbx_call_id
        if call_id is not None:
            return self._updated(call, context) if call is not None and call.call_id == call_id else self._past.update(call_id, context)
        if name is not None:
            if call is not None and (call.context.pbx_call_id == name or call.context.fits(context)):
                return self._updated(call, context)
            if (over := self._past.named(self._line.trunk, name)) is not None:
                return self._past.update(over, context)
        elif call is not None:
            if call.context.contradicts(context):
                return Handled(answer=refused(ReplyReason.OTHER_CUSTOMER, call=call.call_id))
            return self._updated(call, context)
        self._next_calls.add(context)
        return Handled(answer=Answer())

    @staticmethod
    def _updated(call: Call, context: Context) -> Handled:
        events = call.update(context)
        return Handled(events=events, answer=Answer(reason=None if events else ReplyReason.ALREADY, call=call.call_id))

    def forget(self, customer: Customer) -> Forgotten:
        """Nothing is known any more of whose call comes; an open call of theirs is over here, and nothing more is told of it."""
        self._engines.alert_history.forget(customer)
        announced, call, models = self._next_calls.forget(customer), self._call, self._models
        if call is None or models is None or not customer.owns(call.context.customer_ref, call.context.callback):
            return Forgotten(announced=announced)
        # What was being said is judged by nobody.
        self._call = self._models = None
        for _ in self._follow(self._segmenter.close_call(ClosedBy.COMMAND)):
            pass
        models.close()
        self._swap_detector.call_over()
        return Forgotten(calls=(call.call_id,), announced=announced)

    def end(self, reason: ClosedBy) -> Iterator[Event]:
        """Close the open call, if any: what was being said is judged first."""
        yield from self._follow(self._segmenter.close_call(reason))

    def _follow(self, segment_events: Iterable[SegmentEvent]) -> Iterator[Event]:
        for event in segment_events:
            if isinstance(event, CallOpened):
                yield from self._open(event)
            if self._call is None or self._models is None:
                continue
            match event:
                case SpeechStarted() | SpeechAudio() | SpeechDropped():
                    self._listen(event, self._call, self._models)
                case Utterance():
                    yield from self._judge(event, self._call, self._models)
                case Activity():
                    yield from self._call.active(event)
                case ToneHeard(channel=channel, name=name):
                    self._swap_detector.tone(channel, name)
                    yield from self._call.tone(event)
                case CallClosed():
                    yield from self._call.closed(event)
                    self._past.keep(self._line.trunk, self._call.call_id, self._call.context, self._call.alert.snapshot)
                    self._models.close()
                    self._understood_calls.call_over(self._line.trunk, understood=self._call.understood)
                    self._swap_detector.call_over()
                    self._call = self._models = None

    def _listen(self, event: SpeechStarted | SpeechAudio | SpeechDropped, call: Call, models: CallModels) -> None:
        """Have the words recognised while they are spoken, from where the caller has been told on."""
        match event:
            case SpeechStarted(channel=channel):
                (self._without_notice.discard if call.may_judge else self._without_notice.add)(channel)
            case SpeechAudio(channel=channel):
                if call.may_judge and channel not in self._without_notice:
                    models.accept(event, overloaded=self.overloaded)
            case SpeechDropped(channel=channel):
                models.drop(channel)

    def _open(self, opened: CallOpened) -> Iterator[Event]:
        self._engines, config = self._serving()
        self._models = self._engines.for_call(self._line, config)
        self._call = Call(
            call_id=uuid7(),
            line=self._line,
            config=config,
            # The call began some samples ago, and a busy box hears of it late: the wall clock is counted back from when they came.
            anchor=Anchor.take(self._heard_to, arrived=self._arrived, left_s=max(self._recorded_s - self._heard_to / SAMPLE_RATE, 0.0)),
            opened=opened,
            rules=self._engines.rules(),
            models=self._models.models,
            alert_history=self._engines.alert_history,
            strictness=self._engines.strictness,
            watch=self._watch,
            context=self._next_calls.take(self._opening),
        )
        self._opening = Context()
        self._without_notice.clear()
        yield from self._call.started()

    def _judge(self, utterance: Utterance, call: Call, models: CallModels) -> Iterator[Event]:
        endpoint = self._since(utterance.speech_end)
        if utterance.channel in self._without_notice or not call.may_judge:
            yield from self._pass_over(utterance, call, models)
            return
        words = models.words(utterance)
        if isinstance(words, WordsReading):
            self._swap_detector.said(utterance.role, words.redacted)
        words_done = self._since(utterance.speech_end)
        voice = models.voice(utterance)
        voice_done = self._since(utterance.speech_end)
        scored = utterance.role in (Role.CUSTOMER, Role.MIXED)
        verdict = models.verdict(voice, words) if scored else None
        latency = LatencyData(endpoint_ms=endpoint, words_ms=words_done, voice_ms=voice_done, verdict_ms=self._since(utterance.speech_end))
        call.take_rules(self._engines.rules())
        yield from call.heard(utterance, voice=voice, words=words, verdict=verdict, latency=latency)

    def _pass_over(self, utterance: Utterance, call: Call, models: CallModels) -> Iterator[Event]:
        """An utterance that began before the caller had been told: no model is asked about it."""
        models.drop(utterance.channel)
        if call.may_judge:
            # The next part of a long one is judged.
            self._without_notice.discard(utterance.channel)
        unheard = Absent(reason=Absence.NO_NOTICE)
        latency = LatencyData(endpoint_ms=self._since(utterance.speech_end), words_ms=None, voice_ms=None, verdict_ms=None)
        yield from call.heard(utterance, voice=unheard, words=unheard, verdict=None, latency=latency)

    def _since(self, sample: int) -> float | None:
        """Milliseconds of wall time since `sample` was spoken."""
        if self._arrived is None:
            return None
        return round((time.monotonic() - self._arrived) * 1000 + samples_to_ms(self._heard_to - sample), 1)
