"""From frames to what happens on a line: calls, utterances, tones. Composes the detectors; decides nothing of its own."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from edge.segment.activity import VoiceActivity, Voicing
from edge.segment.boundary import Idle, Threshold
from edge.segment.crosstalk import LeakMask
from edge.segment.spectrum import Ear, Look
from edge.segment.turns import BRIDGE_FRAMES, TurnTaking
from edge.segment.utterances import Endpointer, Heard
from edge.values import (
    FRAME_SAMPLES,
    Activity,
    CallClosed,
    CallOpened,
    Frame,
    Happening,
    Role,
    SpeechAudio,
    SpeechDropped,
    SpeechStarted,
    Utterance,
)


@dataclass(slots=True, kw_only=True)
class _Channel:
    """The detectors of one channel, and the turn count of its speaker in this call."""

    endpointer: Endpointer
    ear: Ear = field(default_factory=Ear)
    activity: VoiceActivity = field(default_factory=VoiceActivity)
    turn: int = -1


class Segmenter:
    """One line. Feed it every frame in order; what happened comes back in order.

    Before a call is open nothing is handed over. A call opens by `open_call` or by 2 s of voice within 6 s, then from
    where that voice began. It closes by `close_call`, by a busy, reorder or dial tone (its end is then where the tone
    began), or after `idle_s` without a sign of life (its end is then half a second after the last one); so a call may
    end before Activity that was already handed over. Not for more than one thread.
    """

    def __init__(self, *, roles: tuple[Role, ...], idle_s: float = 30.0, tone_plan: str = "us") -> None:
        self._channels = [_Channel(endpointer=Endpointer(number, role)) for number, role in enumerate(roles)]
        self._leaks = LeakMask() if len(roles) == 2 else None  # noqa: PLR2004 (a leak needs two channels)
        self._turns = TurnTaking(len(roles))
        self._threshold = Threshold(len(roles))
        self._idle = Idle(idle_s)
        self._levels: deque[Activity] = deque()
        self._now = 0
        self.in_call = False

    def feed(self, frame: Frame) -> Iterator[Happening]:
        """Take the next 20 ms of the line; say what became known by it."""
        self._now = frame.start + FRAME_SAMPLES
        looks = [channel.ear.look(pcm, lost=frame.lost) for channel, pcm in zip(self._channels, frame.pcm, strict=True)]
        voicings = self._own_speech(frame, looks)
        for number, (channel, look, voicing) in enumerate(zip(self._channels, looks, voicings, strict=True)):
            heard = Heard(start=frame.start, pcm=frame.pcm[number], voicing=voicing, level_dbfs=look.level_dbfs, lost=frame.lost)
            for happening in channel.endpointer.update(heard):
                yield from self._tell(number, happening)
        speaking = tuple(voicing.active and channel.endpointer.is_open for channel, voicing in zip(self._channels, voicings, strict=True))
        self._turns.update(frame.start, speaking)
        for number in (number for number, speaks in enumerate(speaking) if speaks):
            self._threshold.voice(number, frame.start)
            self._idle.alive(frame.start, voice=True)
        self._levels.append(Activity(start=frame.start, speaking=speaking, level_dbfs=tuple(look.level_dbfs for look in looks)))
        yield from self._activity(BRIDGE_FRAMES)
        yield from self._boundary()

    def open_call(self, by: str = "command") -> Iterator[Happening]:
        """Begin a call here and now, with what is just being said; an open one is closed first ("command")."""
        if self.in_call:
            yield from self.close_call("command")
        began = [start for number in range(len(self._channels)) if (start := self._threshold.began(number)) is not None]
        yield from self._open(min([self._now, *began]), by)

    def close_call(self, reason: str) -> Iterator[Happening]:
        """End the call here and now: first what is still being said, then CallClosed. Nothing, if no call is open."""
        yield from self._close(self._now, reason)

    def _own_speech(self, frame: Frame, looks: list[Look]) -> list[Voicing]:
        """The decisions on one frame, with what only leaks in from the other channel taken out."""
        voicings = [channel.activity.update(look) for channel, look in zip(self._channels, looks, strict=True)]
        if self._leaks is None:
            return voicings
        leaks = self._leaks.update(frame.pcm, (looks[0].level_dbfs, looks[1].level_dbfs), (voicings[0].active, voicings[1].active))
        return [replace(v, active=False, periodic=False) if leak else v for v, leak in zip(voicings, leaks, strict=True)]

    def _tell(self, number: int, happening: SpeechStarted | SpeechAudio | SpeechDropped | Utterance) -> Iterator[Happening]:
        """Hand a happening of a channel over, or hold it until a call is known to be one."""
        told: Happening = happening
        if self.in_call:
            told = self._in_turn(happening) if isinstance(happening, Utterance) else happening
            yield told
            return
        self._threshold.hold(number, told)
        if isinstance(happening, Utterance | SpeechDropped):
            self._threshold.ended(number, dropped=isinstance(happening, SpeechDropped))

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
            raw = self._levels.popleft()
            end = raw.start + FRAME_SAMPLES
            speaking = tuple(bool(self._turns.speaking(number, raw.start, end)[0]) for number in range(len(self._channels)))
            activity = replace(raw, speaking=speaking)
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
        elif self._idle.expired(self._now):
            yield from self._close(self._idle.end(self._now), "idle")

    def _open(self, start: int, by: str) -> Iterator[Happening]:
        self.in_call = True
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
            for happening in channel.endpointer.close():
                yield from self._tell(happening.channel, happening)
        if self.in_call:
            yield from self._activity(0)
            yield CallClosed(end=end, closed_by=reason)
        self.in_call = False
        self._levels.clear()
        self._threshold = Threshold(len(self._channels))
