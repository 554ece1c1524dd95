"""From frames to what happens on a line: calls, utterances, tones. Composes the detectors; decides nothing of its own."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from edge.segment.activity import VoiceActivity
from edge.segment.boundary import Idle, Threshold
from edge.segment.channel import Channel, Spoken
from edge.segment.dc import DcRemover
from edge.segment.leak import LeakMask
from edge.segment.plan import load_plan
from edge.segment.repeats import Repeats
from edge.segment.spectrum import SpectrumAnalyser
from edge.segment.tones import Signal
from edge.segment.turns import BRIDGE_FRAMES, TurnTaking
from edge.values import (
    FRAME_SAMPLES,
    Activity,
    CallClosed,
    CallOpened,
    ClosedBy,
    Frame,
    OpenedBy,
    Role,
    SegmentEvent,
    SpeechDropped,
    Tone,
    ToneHeard,
    Utterance,
)


class Segmenter:
    """One line. Feed it every frame in order; what happened comes back in order.

    Before a call is open nothing is handed over. A call opens by `open_call` or by 2 s of voice within 10 s, then from
    where that voice began. It closes by `close_call`, by a busy, reorder or dial tone (its end is then where the tone
    began), or after `idle_s` without a sign of life (its end is then half a second after the last one); so a call may
    end before Activity that was already handed over. A dial tone closes only what has been a conversation: before it
    is only how somebody dials. Where `exact`, calls begin and end by `open_call` and `close_call` alone. Not for more than one thread.
    """

    def __init__(self, *, roles: tuple[Role, ...], idle_s: float = 30.0, tone_plan: str = "us", exact: bool = False) -> None:
        """Raises ConfigError where there is no such tone plan."""
        plan = load_plan(tone_plan)
        self._spectrum_analyser, self._voices = SpectrumAnalyser(len(roles)), VoiceActivity(len(roles))
        self._channels = [Channel(number, role, plan) for number, role in enumerate(roles)]
        self._dc = DcRemover(len(roles))
        self._leaks = LeakMask(_agent(roles)) if len(roles) == 2 else None  # noqa: PLR2004 (a leak needs two channels)
        self._turns, self._exact = TurnTaking(len(roles)), exact
        self._threshold = Threshold(len(roles))
        self._idle = Idle(idle_s)
        self._repeats = [Repeats() for _ in roles]
        # Frames in which each channel spoke.
        self._spoke = [0] * len(roles)
        self._levels: deque[tuple[int, tuple[float, ...], bool]] = deque()
        self._now = 0
        self._ending: Signal | None = None
        # Sample until which both channels carried the same sound: whatever began before may be anybody's.
        self._same_until = -1
        self.in_call = False

    @property
    def same_sound(self) -> bool:
        """Whether both channels carry the same sound: a line that is wired or recorded so is mixed, whatever its configuration says."""
        return self._leaks is not None and self._leaks.same_sound

    def feed(self, frame: Frame) -> Iterator[SegmentEvent]:
        """Take the next 20 ms of the line; say what became known by it."""
        self._now = frame.start + FRAME_SAMPLES
        for event in self._hear(self._dc.remove(frame)):
            if isinstance(event, Signal):
                yield from self._signal(event)
            else:
                yield from self._tell(event)
        yield from self._activity(BRIDGE_FRAMES)
        yield from self._boundary()

    def open_call(self, by: OpenedBy = OpenedBy.COMMAND) -> Iterator[SegmentEvent]:
        """Begin a call here and now, with what is just being said; an open one is closed first."""
        if self.in_call:
            yield from self.close_call(ClosedBy.COMMAND)
        began = [start for channel in self._channels if (start := self._threshold.began(channel.number)) is not None]
        yield from self._open(min([self._now, *began]), by)

    def close_call(self, reason: ClosedBy) -> Iterator[SegmentEvent]:
        """End the call here and now: first what is still being said, then CallClosed. Nothing, if no call is open."""
        yield from self._close(self._now, reason)

    def _hear(self, frame: Frame) -> Iterator[Spoken | Signal]:
        """Every channel's part in one frame."""
        spectra = self._spectrum_analyser.analyse(frame.pcm, lost=frame.lost)
        voices = self._voices.update(spectra)
        levels = tuple([spectrum.level_dbfs for spectrum in spectra.channels])
        leaked, shadowed = (False, False), (False, False)
        if self._leaks is not None:
            leaked = self._leaks.update(frame.pcm, (levels[0], levels[1]), (voices[0].active, voices[1].active))
            shadowed = self._leaks.shadowed(0), self._leaks.shadowed(1)
            if self._leaks.same_sound:
                self._same_until = frame.start
        spoke = [channel.speaking for channel in self._channels]
        for n, (channel, spectrum, voicing) in enumerate(zip(self._channels, spectra.channels, voices, strict=True)):
            answered = sum(spoke) > spoke[n]
            yield from channel.follow(frame, spectrum, voicing, leaked=leaked[n], shadowed=shadowed[n], answered=answered)
        self._turns.update(frame.start, [channel.speaking for channel in self._channels])
        self._levels.append((frame.start, levels, frame.lost))
        for channel in self._channels:
            self._spoke[channel.number] += channel.speaking
            if channel.speaking:
                self._threshold.voice(channel.number, frame.start)
            if channel.speaking or channel.alive:
                self._idle.alive(frame.start, voice=channel.speaking)

    def _signal(self, signal: Signal) -> Iterator[SegmentEvent]:
        if not self.in_call:
            return
        yield ToneHeard(channel=signal.channel, name=signal.name, start=signal.start)
        if signal.closes is ClosedBy.BUSY or (signal.closes is ClosedBy.DIAL and self._idle.voice_heard):
            self._ending = signal

    def _tell(self, event: Spoken) -> Iterator[SegmentEvent]:
        """Hand a event of a channel over, or hold it until a call is known to be one."""
        if self.in_call:
            yield from self._unless_recorded(event)
            return
        self._threshold.hold(event.channel, event)
        if isinstance(event, Utterance | SpeechDropped):
            self._threshold.ended(event.channel, dropped=isinstance(event, SpeechDropped))

    def _unless_recorded(self, event: SegmentEvent) -> Iterator[SegmentEvent]:
        """What is played again while nobody answers is an announcement, and what it left in a recogniser is thrown away."""
        if not isinstance(event, Utterance):
            yield event
        elif self._leaks is not None and event.role is Role.CUSTOMER and self._is_repeated(event):
            yield SpeechDropped(channel=event.channel)
            yield ToneHeard(channel=event.channel, name=Tone.ANNOUNCEMENT, start=event.start)
        else:
            yield self._in_turn(event)

    def _is_repeated(self, utterance: Utterance) -> bool:
        return self._repeats[utterance.channel].heard(utterance, sum(self._spoke) - self._spoke[utterance.channel])

    def _in_turn(self, utterance: Utterance) -> Utterance:
        channel = self._channels[utterance.channel]
        if utterance.part == 0 or channel.turn < 0:
            channel.turn += 1
        return replace(
            utterance,
            role=Role.MIXED if utterance.role is Role.CUSTOMER and utterance.start <= self._same_until else utterance.role,
            turn=channel.turn,
            overlap_samples=self._turns.overlap_samples(utterance),
            interrupted=self._turns.interrupted(utterance),
        )

    def _activity(self, behind: int) -> Iterator[SegmentEvent]:
        """Activity is told 200 ms late: only then is it known whether a pause was one (ITU-T P.59)."""
        while len(self._levels) > behind:
            start, levels, lost = self._levels.popleft()
            activity = Activity(start=start, speaking=self._turns.spoke(start), level_dbfs=levels, lost=lost)
            if self.in_call:
                yield activity
            else:
                self._threshold.hold_activity(activity)

    def _boundary(self) -> Iterator[SegmentEvent]:
        if self._exact:
            return
        if not self.in_call:
            self._threshold.forget_before(self._now)
            start = self._threshold.reached(self._now)
            if start is not None:
                yield from self._open(start, OpenedBy.VOICE)
        elif self._ending is not None and self._ending.closes is not None:
            yield from self._close(max(self._ending.start, self._idle.voice_end), self._ending.closes)
        elif self._idle.expired(self._now):
            yield from self._close(self._idle.end(self._now), ClosedBy.IDLE)

    def _open(self, start: int, by: OpenedBy) -> Iterator[SegmentEvent]:
        self.in_call = True
        self._ending = None
        self._idle.opened(start)
        for channel in self._channels:
            channel.turn = -1
        self._repeats = [Repeats() for _ in self._channels]
        yield CallOpened(start=start, opened_by=by)
        for event in self._threshold.release(start):
            if isinstance(event, Activity) and any(event.speaking):
                self._idle.alive(event.start, voice=True)
            yield from self._unless_recorded(event)

    def _close(self, end: int, reason: ClosedBy) -> Iterator[SegmentEvent]:
        for channel in self._channels:
            for event in channel.close():
                yield from self._tell(event)
        if self.in_call:
            yield from self._activity(0)
            yield CallClosed(end=end, closed_by=reason)
        self.in_call = False
        self._levels.clear()
        self._threshold = Threshold(len(self._channels))


def _agent(roles: tuple[Role, ...]) -> int:
    """The agent's channel; the second one where none is called so."""
    return roles.index(Role.AGENT) if Role.AGENT in roles else 1
