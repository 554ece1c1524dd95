"""One connection's sound, placed on the call's clock: by the sender's own times where it has some, else by its count of samples.

A stream begins where it arrives, and goes on by its own count: jitter moves nothing. When it falls behind, the next 0.1 s of it decide:
what comes faster than it is spoken was held back by a network, catches up, and has its own place; what comes at the speed of speech has
had a pause or a loss before it, and goes on where it arrives.
"""

from edge.listen.messages import Sound
from edge.listen.timeline import Timeline

# Further behind than a packet network delivers unevenly.
_LAG_S = 0.25
# As long as a burst needs to show that it is one.
_DOUBT_S = 0.1
# Senders round their times, and some take them from a clock on the wall.
_ROUNDING_S = 0.04
# What is more than this ahead of the clock has not been spoken: such times are none.
_AHEAD_S = 3.0
# So far may a stream be ahead before nothing more of it is read: a sender that is faster than speech is held back by its own socket.
_EARLY_S = 1.0

_Channels = tuple[int, ...]


class Stream:
    """The sound of one connection. Owned by the call's thread."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._ends: dict[_Channels, int] = {}
        # The sender's zero on the call's clock.
        self._zero: int | None = None
        self._held: list[Sound] = []
        self._held_at = 0

    @property
    def together(self) -> int | None:
        """Up to where all of its channels have sound; None before any."""
        return min(self._ends.values(), default=None)

    def early(self, moment: float) -> bool:
        """Whether it is so far ahead that it should wait."""
        ahead = self._timeline.at(moment) + round(_EARLY_S * self._timeline.rate)
        return any(end > ahead for end in self._ends.values())

    def heard(self, sound: Sound, moment: float) -> None:
        """Some more of it has come."""
        now = self._timeline.at(moment)
        where = self._where(sound, now)
        late = where < self._timeline.told or now - where - len(sound.pcm) > _LAG_S * self._timeline.rate
        if self._held or late:
            self._held_at = self._held_at if self._held else now
            self._held.append(sound)
            self._decide(now, moment)
        else:
            self._place(sound, now, moment)

    def settle(self, moment: float) -> None:
        """Time has passed: what is held may be decided by now."""
        if self._held:
            self._decide(self._timeline.at(moment), moment)

    def finish(self, moment: float) -> None:
        """Nothing more of it comes: what is held is decided by what has come so far."""
        if self._held:
            self._decide(self._timeline.at(moment), moment, last=True)

    def _decide(self, now: int, moment: float, *, last: bool = False) -> None:
        first = self._held[0]
        where, waited = self._where(first, now), now - self._held_at
        came = sum(len(sound.pcm) for sound in self._held if sound.channels == first.channels)
        behind = self._held_at - where - len(first.pcm)
        caught_up = now - where - came < behind // 2
        if not (last or caught_up) and waited < _DOUBT_S * self._timeline.rate:
            return
        # Twice as fast as speech: it is still catching up.
        if not caught_up and came <= 2 * (waited + len(first.pcm)):
            self._move(first)
        held, self._held = self._held, []
        for sound in held:
            self._place(sound, now, moment)

    def _move(self, first: Sound) -> None:
        """The stream goes on where `first` arrived, and with it all that is timed by the same clock."""
        here = max(self._timeline.told, self._held_at - len(first.pcm))
        if first.at is not None:
            self._zero = here - first.at
        self._ends[first.channels] = here

    def _place(self, sound: Sound, now: int, moment: float) -> None:
        where, end = self._where(sound, now), self._ends.get(sound.channels)
        if sound.lost and end is not None and where > end:
            self._timeline.lose(end, where, sound.channels)
        self._timeline.put(where, sound.pcm, sound.channels, moment)
        after = where + len(sound.pcm)
        # What comes out of order fills its place, and the stream goes on where it was.
        self._ends[sound.channels] = after if end is None or sound.at is None else max(end, after)

    def _where(self, sound: Sound, now: int) -> int:
        """The position of its first sample."""
        end = self._ends.get(sound.channels)
        here = max(self._timeline.told, now - len(sound.pcm))
        if sound.at is None:
            return here if end is None else end
        if self._zero is None or self._zero + sound.at > now + _AHEAD_S * self._timeline.rate:
            self._zero = here - sound.at
        where = self._zero + sound.at
        rounded = end is not None and -len(sound.pcm) // 2 < where - end <= _ROUNDING_S * self._timeline.rate
        return end if rounded and end is not None and not sound.lost else where
