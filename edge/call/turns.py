"""Live turn-taking from who speaks in each 20 ms: silence, dead air, overlap, response gaps.

Words as in Heldner and Edlund 2010, "Pauses, gaps and overlaps in conversations" (Journal of Phonetics 38): a gap is silence
between speakers, an overlap is a gap below zero. Who broke in is in the utterance itself (edge.segment.turns). Times are
samples of the line's clock.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Activity, ClosedBy

# Brady 1968, "A statistical analysis of on-off patterns in 16 conversations" (BSTJ 47): gaps up to 200 ms (stop consonants)
# belong to the talkspurt around them.
BRIDGE = SAMPLE_RATE // 5
# Mutual silence counts as dead air from 5 s, as Google's Contact Center AI Insights measures silence.
DEAD_AIR = SAMPLE_RATE * 5
# Shorter silences are the rhythm of talk; nobody writes a rule about them.
_NOTED_SILENCE = SAMPLE_RATE
# 400 spurts are at least 88 s of talk (20 ms and a bridge each): more than the longest utterance and its deadline.
_REMEMBERED_SPURTS = 400
# A tone that keeps the customer waiting is a hold, not dead air; key presses and a knocking call are neither.
NOT_A_HOLD = frozenset({"dtmf", "call_waiting"})
# With these the network says that somebody hung up: until then the call was there.
HANG_UP_TONES = frozenset({"busy", "reorder", "dial", "howler"})
# Ends that say that the call was there until then. That nothing more is heard, or that the recording is over, says nothing of the kind.
HANG_UPS = frozenset({ClosedBy.COMMAND, ClosedBy.HANG_UP, ClosedBy.BUSY, ClosedBy.DIAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of call, in samples: start inclusive, end exclusive."""

    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class Quiet:
    """Sums over a stretch of call of what both sides did together, in samples."""

    silence: int = 0
    longest_silence: int = 0
    dead_air: int = 0
    overlap: int = 0


@dataclass(slots=True, eq=False)
class _Channel:
    last: int
    start: int | None = None
    spurts: deque[Span] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_SPURTS))

    def all_spurts(self) -> list[Span]:
        return [*self.spurts, *([] if self.start is None else [Span(start=self.start, end=self.last)])]


class Turns:
    """Turn-taking of one call. Fed by `step`, one Activity after the other; owned by one thread."""

    def __init__(self, *, channels: int, start: int) -> None:
        self.silences: list[Span] = []
        self._channels = [_Channel(last=start) for _ in range(channels)]
        self._silence_start: int | None = None
        self._held_by: int | None = None
        self._now = start

    def step(self, activity: Activity, sums: Sequence[Quiet]) -> None:
        """Take one frame in and add what it showed to each of `sums`."""
        silence = self.silence()
        self._now = activity.start + FRAME_SAMPLES
        for number, (channel, speaking) in enumerate(zip(self._channels, activity.speaking, strict=True)):
            if speaking:
                if channel.start is None:
                    channel.start = activity.start
                    self._held_by = None if self._held_by == number else self._held_by
                channel.last = self._now
            elif channel.start is not None and self._now - channel.last > BRIDGE:
                channel.spurts.append(Span(start=channel.start, end=channel.last))
                channel.start = None
        if sum(activity.speaking) > 1:
            for total in sums:
                total.overlap += FRAME_SAMPLES
        if any(channel.start is not None for channel in self._channels):
            self.silences += [silence] if silence else []
            self._silence_start = None
        else:
            self._listen(sums)

    def hold(self, channel: int, tone: str) -> None:
        """A tone, music or announcement plays on `channel`: until somebody speaks there, silence is waiting, not dead air.

        A hang-up tone ends the silence before it.
        """
        if tone in HANG_UP_TONES:
            self.hung_up()
        if tone not in NOT_A_HOLD:
            self._held_by = channel

    def hung_up(self) -> None:
        """The call went on until now, and no further: the silence that goes on is one that it has outlived."""
        if (silence := self.silence()) is not None:
            self.silences.append(silence)

    def silence(self) -> Span | None:
        """The mutual silence that goes on now, if it is one worth noting and not a hold."""
        if self._silence_start is None or self._held_by is not None or self._now - self._silence_start < _NOTED_SILENCE:
            return None
        return Span(start=self._silence_start, end=self._now)

    def response_gap(self, channel: int, start: int) -> int | None:
        """Samples from the end of the other side's speech to `start`, where `channel` answers it; below zero for an overlap.

        None where `channel` only goes on after its own pause, or nobody spoke before.
        """
        own = max((spurt.end for spurt in self._channels[channel].all_spurts() if spurt.end <= start), default=None)
        others = [
            spurt for number, other in enumerate(self._channels) if number != channel for spurt in other.all_spurts() if spurt.start < start
        ]
        if not others:
            return None
        answered = max(spurt.end for spurt in others)
        return None if own is not None and answered <= own else start - answered

    def _listen(self, sums: Sequence[Quiet]) -> None:
        """Silence is known once every talkspurt is over, and counts from where the last one ended."""
        begun = self._silence_start is None
        if self._silence_start is None:
            self._silence_start = max(channel.last for channel in self._channels)
        length = self._now - self._silence_start
        for total in sums:
            total.silence += length if begun else FRAME_SAMPLES
            total.longest_silence = max(total.longest_silence, length)
            if self._held_by is None and length >= DEAD_AIR:
                # The frame that makes it dead air brings in all of it; those after it bring themselves.
                total.dead_air += length if length - FRAME_SAMPLES < DEAD_AIR else FRAME_SAMPLES
