"""From frames to what happens on a line: calls, utterances, tones. Composes the detectors; decides nothing of its own."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from edge.segment.activity import VoiceActivity
from edge.segment.boundary import Idle, Threshold
from edge.segment.channel import Channel, Spoken
from edge.segment.crosstalk import LeakMask
from edge.segment.plan import load_plan
from edge.segment.spectrum import Ear
from edge.segment.tones import Signal
from edge.segment.turns import BRIDGE_FRAMES, TurnTaking
from edge.values import (
    FRAME_SAMPLES,
    Activity,
    CallClosed,
    CallOpened,
    Frame,
    Happening,
    Role,
    SpeechDropped,
    ToneHeard,
    Utterance,
)


class Segmenter:
    """One line. Feed it every frame in order; what happened comes back in order.

    Before a call is open nothing is handed over. A call opens by `open_call` or by 2 s of voice within 10 s, then from
    where that voice began. It closes by `close_call`, by a busy, reorder or dial tone (its end is then where the tone
    began), or after `idle_s` without a sign of life (its end is then half a second after the last one); so a call may
    end before Activity that was already handed over. A dial tone closes only what has been a conversation: before it
    is only how somebody dials. Not for more than one thread.
    """

    def __init__(self, *, roles: tuple[Role, ...], idle_s: float = 30.0, tone_plan: str = "us") -> None:
        """Raises ConfigError where there is no such tone plan."""
        plan = load_plan(tone_plan)
        self._ear, self._voices = Ear(len(roles)), VoiceActivity(len(roles))
        self._channels = [Channel(number, role, plan) for number, role in enumerate(roles)]
        self._leaks = LeakMask() if len(roles) == 2 else None  # noqa: PLR2004 (a leak needs two channels)
        self._turns = TurnTaking(len(roles))
        self._threshold = Threshold(len(roles))
        self._idle = Idle(idle_s)
        self._levels: deque[tuple[int, tuple[float, ...]]] = deque()
        self._now = 0
        self._ending: Signal | None = None
        self.in_call = False

    def feed(self, frame: Frame) -> Iterator[Happening]:
        """Take the next 20 ms of the line; say what became known by it."""
        self._now = frame.start + FRAME_SAMPLES
        for happening in self._hear(frame):
            if isinstance(happening, Signal):
                yield from self._signal(happening)
            else:
                yield from self._tell(happening)
        yield from self._activity(BRIDGE_FRAMES)
        yield from self._boundary()

    def open_call(self, by: str = "command") -> Iterator[Happening]:
        """Begin a call here and now, with what is just being said; an open one is closed first ("command")."""
        if self.in_call:
            yield from self.close_call("command")
        began = [start for channel in self._channels if (start := self._threshold.began(channel.number)) is not None]
        yield from self._open(min([self._now, *began]), by)

    def close_call(self, reason: str) -> Iterator[Happening]:
        """End the call here and now: first what is still being said, then CallClosed. Nothing, if no call is open."""
        yield from self._close(self._now, reason)

    def _hear(self, frame: Frame) -> Iterator[Spoken | Signal]:
        """Every channel's part in one frame."""
        looks = self._ear.look(frame.pcm, lost=frame.lost)
        voices = self._voices.update(looks)
        levels = tuple([look.level_dbfs for look in looks.channels])
        leaked, shadowed = (False, False), (False, False)
        if self._leaks is not None:
            leaked = self._leaks.update(frame.pcm, (levels[0], levels[1]), (voices[0].active, voices[1].active))
            shadowed = self._leaks.shadowed(0), self._leaks.shadowed(1)
        spoke = [channel.speaking for channel in self._channels]
        for n, (channel, look, voicing) in enumerate(zip(self._channels, looks.channels, voices, strict=True)):
            answered = sum(spoke) > spoke[n]
            yield from channel.follow(frame, look, voicing, leaked=leaked[n], shadowed=shadowed[n], answered=answered)
        self._turns.update(frame.start, [channel.speaking for channel in self._channels])
        self._levels.append((frame.start, levels))
        for channel in self._channels:
            if channel.speaking:
                self._threshold.voice(channel.number, frame.start)
            if channel.speaking or channel.alive:
                self._idle.alive(frame.start, voice=channel.speaking)

    def _signal(self, signal: Signal) -> Iterator[Happening]:
        if not self.in_call:
            return
        yield ToneHeard(channel=signal.channel, name=signal.name, start=signal.start)
        if signal.closes == "busy" or (signal.closes == "dial" and self._idle.voice_heard):
            self._ending = signal

    def _tell(self, happening: Spoken) -> Iterator[Happening]:
        """Hand a happening of a channel over, or hold it until a call is known to be one."""
        if self.in_call:
            yield self._in_turn(happening) if isinstance(happening, Utterance) else happening
            return
        self._threshold.hold(happening.channel, happening)
        if isinstance(happening, Utterance | SpeechDropped):
            self._threshold.ended(happening.channel, dropped=isinstance(happening, SpeechDropped))

    def _in_turn(self, utterance: Utterance) -> Utterance:
        channel = self._channels[utterance.channel]
        if utterance.part == 0 or channel.turn < 0:
            channel.turn += 1
        return replace(
            utterance,
            turn=channel.turn,
            overlap_samples=self._turns.overlap_samples(utterance),
            interrupted=self._turns.interrupted(utterance),
        )

    def _activity(self, behind: int) -> Iterator[Happening]:
        """Activity is told 200 ms late: only then is it known whether a pause was one (ITU-T P.59)."""
        while len(self._levels) > behind:
            start, levels = self._levels.popleft()
            activity = Activity(start=start, speaking=self._turns.spoke(start), level_dbfs=levels)
            if self.in_call:
                yield activity
            else:
                self._threshold.hold_activity(activity)

    def _boundary(self) -> Iterator[Happening]:
        if not self.in_call:
            self._threshold.forget_before(self._now)
            start = self._threshold.reached(self._now)
            if start is not None:
                yield from self._open(start, "voice")
        elif self._ending is not None:
            yield from self._close(max(self._ending.start, self._idle.voice_end), str(self._ending.closes))
        elif self._idle.expired(self._now):
            yield from self._close(self._idle.end(self._now), "idle")

    def _open(self, start: int, by: str) -> Iterator[Happening]:
        self.in_call = True
        self._ending = None
        self._idle.opened(start)
        for channel in self._channels:
            channel.turn = -1
        yield CallOpened(start=start, opened_by=by)
        for happening in self._threshold.release(start):
            if isinstance(happening, Activity) and any(happening.speaking):
                self._idle.alive(happening.start, voice=True)
            yield self._in_turn(happening) if isinstance(happening, Utterance) else happening

    def _close(self, end: int, reason: str) -> Iterator[Happening]:
        for channel in self._channels:
            for happening in channel.close():
                yield from self._tell(happening)
        if self.in_call:
            yield from self._activity(0)
            yield CallClosed(end=end, closed_by=reason)
        self.in_call = False
        self._levels.clear()
        self._threshold = Threshold(len(self._channels))
