"""Which of two channels only carries the other one's sound, frame by frame, and whether both carry the same all the time.

Whatever correlates with the agent's channel is the agent's, at any level: an agent must not be judged as a customer, however their
voice got to the customer's channel. It is the customer's own only where the customer's channel is clearly the louder one and does not
come later, on a line where the agent has been heard without it. Two channels with the same sound are one mixed line.
"""

import math
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.segment.common_sound import LIKE_LEVEL_DB, SAME, CommonSound
from edge.values import FRAME_SAMPLES, Pcm

# 200 ms: longer than sidetone and hybrid echo, and the echo path that ITU-T G.131 still calls tolerable with control.
_ECHO_FRAMES: Final = 10
# A customer's leak in the agent's channel is at least this much below its origin, and so is an agent's that need not correlate.
_LEAK_DB: Final = 6.0
# Two voices of like pitch reach 0.8 by chance in 40 ms at one lag of 200 ms; a leak 3 dB above the noise reaches 0.8 too.
_SURE_CORRELATION: Final = 0.85
# So at the lag of the last sure leak (an echo path does not move; half a millisecond for the noise) less will do.
_LEAK_CORRELATION, _SAME_LAG = 0.5, 8
# So far below the other channel that correlation drowns in noise: crosstalk (ITU-T G.151 asks for more than 40 dB).
_FAINT_DB: Final = 24.0
# The leak's decay (room, codec) outlasts its correlated part by some frames.
_TAIL_FRAMES: Final = 5
_WINDOW: Final = 2 * FRAME_SAMPLES
# The other channel may come up to 2 ms later than its leak, where two converters share no clock edge.
_LEAD: Final = 32
_FFT: Final = 4096
# Over 0.6 s two speakers, also of like pitch, stay under 0.3; a leak in noise of its own level has 0.5.
_ALIKE, _APART = 0.45, 0.3
# 1 ms: what comes later than that has gone a longer way.
_LATE: Final = 16
# Looks of 100 ms each: 3 s of nothing but common sound of like level; 20 s where the customer's channel is louder, or a line has been heard
# to have two sides; and half a second to know better.
_SAME_LOOKS, _COPY_LOOKS, _APART_LOOKS = 30, 200, 5
# How loud the agent is on the customer's channel is known from the softest so many looks.
_LEAST_LOOKS: Final = 5
# Above its known path's level by so much, what is heard beside a leak is somebody's own.
_OWN_DB: Final = 4.0
_PATH_FRAMES: Final = 10


class LeakMask:
    """Says, frame by frame, which of two channels only carries the other's sound. `agent` is the number of the agent's channel."""

    def __init__(self, agent: int = 1) -> None:
        # Whether both channels carry the same sound: one mixed line.
        self.same_sound = False
        self._agent = agent
        self._common = CommonSound()
        self._past = [deque([np.zeros(FRAME_SAMPLES, np.int16)] * (_ECHO_FRAMES + 2), _ECHO_FRAMES + 2) for _ in range(2)]
        self._levels = [deque([-120.0] * _ECHO_FRAMES, _ECHO_FRAMES) for _ in range(2)]
        self._tail = [0, 0]
        self._lag: list[int | None] = [None, None]
        # How far below its origin the leak in each channel lies, as the last sure frames had it.
        self._paths: list[deque[float]] = [deque(maxlen=50), deque(maxlen=50)]
        self._same_looks = self._apart_looks = 0
        # How much louder the customer's channel is: over the present run of common sound, and at the least while the agent spoke.
        self._run: list[float] = []
        self._two_sided = False
        self._least: list[float] = []

    def update(self, pcm: Pcm, levels_dbfs: tuple[float, float], active: tuple[bool, bool]) -> tuple[bool, bool]:
        """Whether each channel of `pcm` (int16, (2, 320)) carries only the other's sound in this frame.

        `levels_dbfs` and `active` are those of the frame. On a line of the same sound the agent's channel does and the other does not.
        """
        for channel in range(2):
            self._past[channel].append(pcm[channel])
            self._levels[channel].append(levels_dbfs[channel])
        if self._common.update(pcm, voice=any(active)):
            self._look(active)
        leaks = self._leaks(0, active=active[0]), self._leaks(1, active=active[1])
        if self.same_sound:
            return self._agent == 0, self._agent == 1
        return leaks

    def shadowed(self, channel: int) -> bool:
        """Whether the other channel is, or within the last 200 ms was, so much louder that this one's sound may be its leak."""
        return max(self._levels[1 - channel]) - self._levels[channel][-1] >= _LEAK_DB

    def _look(self, active: tuple[bool, bool]) -> None:
        """What the last 0.6 s say of the line."""
        customer = 1 - self._agent
        louder = self._common.gain_db if customer == 0 else -self._common.gain_db
        if active[self._agent]:
            self._least = sorted([*self._least, louder])[:_LEAST_LOOKS]
        # A copy is always as much louder; where now one channel is and now the other, two people leak into each other's.
        uneven = bool(self._run) and max(abs(louder - level) for level in self._run) > _LEAK_DB
        apart = uneven or (self._common.likeness < _APART and any(active))
        self._apart_looks = self._apart_looks + 1 if apart else 0
        if self._apart_looks >= _APART_LOOKS:
            self.same_sound, self._same_looks, self._apart_looks, self._run = False, 0, 0, []
            self._two_sided = True
        elif self._common.likeness >= SAME and not uneven:
            self._run = [min([*self._run, louder]), max([*self._run, louder])]
            self._same_looks += 1
            self.same_sound = self.same_sound or self._same_looks >= self._looks_needed()

    def _looks_needed(self) -> float:
        """After how much common sound and nothing else a line is a mixed one. What is far softer on one channel is a leak there."""
        if self._run[0] < -LIKE_LEVEL_DB or self._run[1] > 2 * _LEAK_DB:
            return math.inf
        return _COPY_LOOKS if self._two_sided or self._run[1] > LIKE_LEVEL_DB else _SAME_LOOKS

    def _leaks(self, channel: int, *, active: bool) -> bool:
        below = max(self._levels[1 - channel]) - self._levels[channel][-1]
        own = channel == self._agent and below < _LEAK_DB
        if not active or own or (below < _LEAK_DB and self._common.likeness < _ALIKE):
            self._tail[channel] = max(0, self._tail[channel] - 1)
            return False
        if self._correlates(channel):
            if self._is_customers_own(channel):
                return False
            self._paths[channel].append(below)
            self._tail[channel] = _TAIL_FRAMES
            return True
        if below >= _FAINT_DB or self._explained(channel, below):
            self._tail[channel] = _TAIL_FRAMES
            return True
        self._tail[channel] = max(0, self._tail[channel] - 1)
        return self._tail[channel] > 0 and below >= _LEAK_DB

    def _is_customers_own(self, channel: int) -> bool:
        """Whether common sound on the customer's channel began there and leaks into the agent's.

        It is louder there, also than the agent ever was there, and does not come later.
        """
        if channel == self._agent or len(self._least) < _LEAST_LOOKS:
            return False
        louder = self._levels[channel][-1] - self._levels[1 - channel][-1]
        later = self._common.lag if channel == 0 else -self._common.lag
        return later <= _LATE and louder >= max(_LEAK_DB, self._least[-1] + _LEAK_DB)

    def _explained(self, channel: int, below: float) -> bool:
        """Whether the other channel's voice, by the path that its leak is known to take, is all that is here."""
        path = self._paths[channel]
        return len(path) >= _PATH_FRAMES and below >= float(np.median(path)) - _OWN_DB and self._common.likeness >= _ALIKE

    def _correlates(self, channel: int) -> bool:
        """Whether this channel's last 40 ms are a copy of something in the other's last 240 ms."""
        past = self._past[channel]
        piece = np.concatenate((past[-2], past[-1]))[: _WINDOW - _LEAD].astype(np.float32)
        other = np.concatenate(self._past[1 - channel]).astype(np.float32)
        energy = np.concatenate((np.zeros(1), np.cumsum(np.square(other, dtype=np.float64))))
        lags = len(other) - len(piece) + 1
        product: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(other, _FFT) * np.conj(np.fft.rfft(piece, _FFT)), _FFT)[:lags]
        local = energy[len(piece) : len(piece) + lags] - energy[:lags]
        likeness = np.abs(product) / np.sqrt(np.maximum(local * float(np.dot(piece, piece)), 1.0))
        best = int(np.argmax(likeness))
        if likeness[best] >= _SURE_CORRELATION:
            self._lag[channel] = best
            return True
        known = self._lag[channel]
        return known is not None and float(np.max(likeness[max(0, known - _SAME_LAG) : known + _SAME_LAG + 1])) >= _LEAK_CORRELATION
