"""Where a call begins and ends, when no command says so."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Activity, SegmentEvent, SpeechStarted

# Two seconds of voice are more than a cough, a door and a "hello?" into a dead line; ten seconds
# hold a greeting, a fumble and the answer.
_OPEN_VOICE_FRAMES: Final = 100
_OPEN_WINDOW: Final = 10 * SAMPLE_RATE
# An utterance ends half a second after its last voice; no call ends before its utterances.
_HANGOVER: Final = SAMPLE_RATE // 2


@dataclass(slots=True, kw_only=True, eq=False)
class _Speech:
    """One utterance heard before the call is known to be one."""

    start: int
    last: int
    voiced: set[int] = field(default_factory=set)
    open: bool = True


class Threshold:
    """Holds what happens on an idle line until two seconds of voice within ten make it a call.

    A call begins where the first of those utterances begins, and everything since then is handed over: nothing that was
    said while we were making up our mind is lost. What stays alone is forgotten.
    """

    def __init__(self, channels: int) -> None:
        self._current: list[_Speech | None] = [None] * channels
        self._speeches: list[_Speech] = []
        self._held: deque[tuple[_Speech | Activity, SegmentEvent]] = deque()
        # Only more voice can make it a call.
        self._more_voice = False

    def hold(self, channel: int, event: SegmentEvent) -> None:
        """Keep a event of an utterance on `channel`; a SpeechStarted begins a new one."""
        speech = self._current[channel]
        if isinstance(event, SpeechStarted) or speech is None:
            start = event.start if isinstance(event, SpeechStarted) else 0
            speech = self._current[channel] = _Speech(start=start, last=start)
            self._speeches.append(speech)
        self._held.append((speech, event))

    def hold_activity(self, activity: Activity) -> None:
        """Keep the activity of one frame."""
        self._held.append((activity, activity))

    def voice(self, channel: int, start: int) -> None:
        """The frame at `start` was voice within the open utterance on `channel`."""
        speech = self._current[channel]
        if speech is not None:
            speech.voiced.add(start)
            speech.last = start
            self._more_voice = True

    def ended(self, channel: int, *, dropped: bool) -> None:
        """The utterance on `channel` is over; if `dropped`, it never was one."""
        speech, self._current[channel] = self._current[channel], None
        if speech is None:
            return
        speech.open = False
        if dropped:
            self._speeches.remove(speech)
            self._held = deque((owner, event) for owner, event in self._held if owner is not speech)

    def forget_before(self, now: int) -> None:
        """Let go of what ended before the window that ends at `now`."""
        since = now - _OPEN_WINDOW
        if self._speeches:
            self._speeches = [speech for speech in self._speeches if speech.open or speech.last >= since]
        while self._held:
            owner = self._held[0][0]
            gone = owner.start < since if isinstance(owner, Activity) else not owner.open and owner.last < since
            if not gone:
                return
            self._held.popleft()

    def reached(self, now: int) -> int | None:
        """The sample at which the call began, once there is enough voice; else None."""
        if not self._more_voice:
            return None
        self._more_voice = False
        since = now - _OPEN_WINDOW
        voiced = {start for speech in self._speeches for start in speech.voiced if start >= since}
        if len(voiced) < _OPEN_VOICE_FRAMES:
            return None
        return min(speech.start for speech in self._speeches if speech.last >= since)

    def began(self, channel: int) -> int | None:
        """Where the utterance now open on `channel` began, or None."""
        speech = self._current[channel]
        return speech.start if speech else None

    def release(self, start: int) -> Iterator[SegmentEvent]:
        """Hand over everything held from sample `start` on, in order, and hold nothing any more."""
        held, self._held = self._held, deque()
        self._speeches = []
        self._current = [None] * len(self._current)
        yield from (event for owner, event in held if owner.start >= start)


class Idle:
    """Says when a call has been left: no voice, and nothing else that shows a living line, for `idle_s`."""

    def __init__(self, idle_s: float) -> None:
        self._limit = round(idle_s * SAMPLE_RATE)
        self._alive = self.voice_end = 0
        self.voice_heard = False

    def opened(self, start: int) -> None:
        """A call begins at `start`."""
        self._alive = self.voice_end = start
        self.voice_heard = False

    def alive(self, start: int, *, voice: bool) -> None:
        """The frame at `start` held voice, or music, an announcement or ringback, which say that the line is up."""
        self._alive = max(self._alive, start + FRAME_SAMPLES)
        if voice:
            self.voice_heard = True
            self.voice_end = max(self.voice_end, start + FRAME_SAMPLES + _HANGOVER)

    def expired(self, now: int) -> bool:
        """Whether the call has been left by sample `now`."""
        return now - self._alive >= self._limit

    def end(self, now: int) -> int:
        """The end of a call that has been left: half a second (the hangover) after its last sign of life.

        The wait for `idle_s` is ours and no part of the call. A call without any sign of life ends at `now`.
        """
        return min(now, self._alive + _HANGOVER) if self.voice_heard else now
