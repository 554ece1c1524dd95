"""Recorded announcements: what follows special information tones, and what is spoken between two pieces of hold music.

The first is known at once. The second is known only when the music comes back, so whatever is said after music is held until
then; it is let go as a person's as soon as the other side answers, after a pause, or when it has gone on for long enough.
"""

from enum import Enum
from typing import Final

# Announcements are repeated after pauses of 2 to 4 s; one round with its pauses is over in a minute.
_SIT_PAUSE_FRAMES, _SIT_LONGEST_FRAMES = 250, 3000
# Hold announcements begin within 3 s of the music's end, and the music is back within 3 s of theirs.
_AFTER_FRAMES: Final = 150
_PAUSE_FRAMES: Final = 150
# "Your call is important to us ... please hold" takes 5 to 12 s.
_LONGEST_FRAMES: Final = 750
# Nobody answers an announcement: 0.6 s of voice from the other side is more than a "hm".
_ANSWER_FRAMES: Final = 30


class AfterSit:
    """Whether an announcement follows special information tones on this channel."""

    def __init__(self) -> None:
        self.running = False
        self._quiet = self._total = 0

    def begin(self) -> None:
        """The tones were heard."""
        self.running, self._quiet, self._total = True, 0, 0

    def update(self, *, voice: bool) -> None:
        """One frame more, with or without a voice in it."""
        if not self.running:
            return
        self._total += 1
        self._quiet = 0 if voice else self._quiet + 1
        self.running = self._quiet < _SIT_PAUSE_FRAMES and self._total < _SIT_LONGEST_FRAMES


class Doubt(Enum):
    """What to do with what is said on a channel."""

    NONE = "hand it over"
    HOLD = "hold it: it may be an announcement"
    RELEASE = "hand over what was held: it was a person"
    DROP = "forget what was held: it was an announcement"


class AfterMusic:
    """Whether to trust a voice that follows hold music on the same channel."""

    def __init__(self) -> None:
        self._left = 0
        self._holding = False
        self._quiet = self._spoken = self._answered = 0

    def update(self, *, music: bool, speaking: bool, answered: bool) -> Doubt:
        """One frame more: music playing, an utterance open on this channel, voice on the other."""
        if music:
            self._left = _AFTER_FRAMES
            was, self._holding = self._holding, False
            return Doubt.DROP if was else Doubt.NONE
        if not self._holding:
            if not self._left:
                return Doubt.NONE
            self._left -= 1
            self._holding = speaking
            self._quiet = self._spoken = self._answered = 0
            return Doubt.HOLD if speaking else Doubt.NONE
        self._quiet = 0 if speaking else self._quiet + 1
        self._spoken += speaking
        self._answered += answered
        if self._quiet < _PAUSE_FRAMES and self._spoken < _LONGEST_FRAMES and self._answered < _ANSWER_FRAMES:
            return Doubt.HOLD
        self._holding, self._left = False, 0
        return Doubt.RELEASE
