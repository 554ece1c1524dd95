"""Who spoke when on a line's channels: bridged speech, overlap, and who broke in on whom."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, Utterance

Flags = NDArray[np.bool_]

# ITU-T P.59 (and P.56): pauses under 200 ms belong to the talkspurt around them.
BRIDGE_FRAMES: Final = 10
# The longest utterance is 20 s; with its pre-roll, hangover and the floor holder before it 25 s are enough.
_MEMORY: Final = 1250
# Who speaks for half a second holds the floor; before that both started together, which is nobody's interruption.
_FLOOR_FRAMES: Final = 25
# A breath or a comma in that half second does not give it up.
_FLOOR_SHARE: Final = 0.4
# Terminal overlaps of smooth turns last 100 to 200 ms (Levinson and Torreira, Frontiers in Psychology 6:731, 2015).
_OVERLAP_FRAMES: Final = 15
# Who means to take the floor goes on; "mm-hm" and "right" are over within a second (backchannels).
_GO_ON_FRAMES: Final = 50


def bridge(flags: Flags) -> Flags:
    """`flags` (bool, one per 20 ms) with inner pauses of less than 200 ms filled."""
    bridged = flags.copy()
    places = np.flatnonzero(flags)
    for gap in np.flatnonzero(np.diff(places) > 1):
        before, after = places[gap], places[gap + 1]
        if after - before <= BRIDGE_FRAMES:
            bridged[before:after] = True
    return bridged


class TurnTaking:
    """Remembers which channel spoke in which of the last 25 s of frames, short pauses bridged as soon as they are over."""

    def __init__(self, channels: int) -> None:
        self._bridged = np.zeros((channels, 2 * _MEMORY), np.bool_)
        self._last = [-_MEMORY] * channels
        self._count = 0
        self._next = 0

    def update(self, start: int, speaking: Sequence[bool]) -> None:
        """Take the decisions on the frame at sample `start`."""
        if self._count == 2 * _MEMORY:
            self._bridged[:, :_MEMORY] = self._bridged[:, _MEMORY:]
            self._count = _MEMORY
            self._last = [last - _MEMORY for last in self._last]
        now = self._count
        for channel, speaks in enumerate(speaking):
            first = now
            if speaks:
                first = self._last[channel] if now - self._last[channel] <= BRIDGE_FRAMES else now
                self._last[channel] = now
            self._bridged[channel, first : now + 1] = speaks
        self._count += 1
        self._next = start + FRAME_SAMPLES

    def spoke(self, start: int) -> tuple[bool, ...]:
        """Bridged speech of all channels in the remembered frame at sample `start`."""
        return tuple(self._bridged[:, self._count - (self._next - start) // FRAME_SAMPLES].tolist())

    def speaking(self, channel: int, start: int, end: int) -> Flags:
        """Bridged speech of `channel`, one bool a frame of `start`..`end` (samples), as far as it is remembered."""
        first = self._count - (self._next - start) // FRAME_SAMPLES
        frames = np.zeros(len(range(start, end, FRAME_SAMPLES)), np.bool_)
        low, high = max(0, first), min(self._count, first + len(frames))
        if low < high:
            frames[low - first : high - first] = self._bridged[channel, low:high]
        return frames

    def overlap_samples(self, utterance: Utterance) -> int:
        """Samples of `utterance` in which another channel spoke too."""
        own = bridge(utterance.voiced)
        return int(np.sum(own & self._others(utterance, utterance.start))) * FRAME_SAMPLES

    def interrupted(self, utterance: Utterance) -> bool:
        """Whether this speaker broke in: the other held the floor for 0.5 s, both then overlap for 0.3 s, and this one goes on for 1 s.

        A pause too short to end the other's utterance does not give up the floor.
        """
        onset = utterance.start + int(np.argmax(utterance.voiced)) * FRAME_SAMPLES
        if utterance.part > 0 or utterance.speech_end - onset < _GO_ON_FRAMES * FRAME_SAMPLES:
            return False
        others = self._others(utterance, onset - _FLOOR_FRAMES * FRAME_SAMPLES)
        held = others[:_FLOOR_FRAMES]
        overlap = others[_FLOOR_FRAMES : _FLOOR_FRAMES + _GO_ON_FRAMES]
        return bool(held.mean() >= _FLOOR_SHARE and overlap.sum() >= _OVERLAP_FRAMES)

    def _others(self, utterance: Utterance, start: int) -> Flags:
        others = np.zeros((utterance.end - start) // FRAME_SAMPLES, np.bool_)
        for channel in range(len(self._bridged)):
            if channel != utterance.channel:
                others |= self.speaking(channel, start, utterance.end)
        return others
