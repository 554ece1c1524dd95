"""Whose voice it is on a two-channel line, and the only maker of `CustomerUtterance`.

The voice branch reads nothing but a `CustomerUtterance`: inferring the emotions of workers is prohibited in the EU
(Regulation (EU) 2024/1689, article 5(1)(f)), so an agent's speech must not reach it, not even as a leak on the
customer's channel. Nothing outside this module can construct one.
"""

from collections import deque
from typing import Final, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from edge.values import FRAME_SAMPLES, Pcm, Role, Utterance

_MINT: Final = object()


@final
class CustomerUtterance:
    """An utterance that this module has found to be the customer's own. `.utterance` is what was said."""

    __slots__ = ("_utterance",)

    _utterance: Utterance

    def __init__(self, utterance: Utterance, *, mint: object = None) -> None:
        if mint is not _MINT:
            raise TypeError("only edge.segment.crosstalk.customer_utterance makes a CustomerUtterance")
        object.__setattr__(self, "_utterance", utterance)

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("a CustomerUtterance cannot be extended")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a CustomerUtterance is frozen")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # Neither pickle nor copy.replace may be a way around the mint.
        raise TypeError("a CustomerUtterance is neither copied nor stored")

    @property
    def utterance(self) -> Utterance:
        """What the customer said."""
        return self._utterance

    def __repr__(self) -> str:
        return f"CustomerUtterance({self._utterance!r})"


def customer_utterance(utterance: Utterance) -> CustomerUtterance | None:
    """`utterance` as the customer's, or None where its role is anything else (agent, mixed, system)."""
    if utterance.role is not Role.CUSTOMER:
        return None
    return CustomerUtterance(utterance, mint=_MINT)


# 200 ms: longer than sidetone and hybrid echo, and the echo path that ITU-T G.131 still calls tolerable with control.
_ECHO_FRAMES: Final = 10
# A leak is at least this much below its origin, so nothing less is ever masked; sidetone is masked from -6 dB down.
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


class LeakMask:
    """Says, frame by frame, which of two channels only carries a leak of the other one."""

    def __init__(self) -> None:
        self._past = [deque([np.zeros(FRAME_SAMPLES, np.int16)] * (_ECHO_FRAMES + 2), _ECHO_FRAMES + 2) for _ in range(2)]
        self._levels = [deque([-120.0] * _ECHO_FRAMES, _ECHO_FRAMES) for _ in range(2)]
        self._tail = [0, 0]
        self._lag: list[int | None] = [None, None]

    def update(self, pcm: Pcm, levels_dbfs: tuple[float, float], active: tuple[bool, bool]) -> tuple[bool, bool]:
        """Whether each channel of `pcm` (int16, (2, 320)) is a leak in this frame.

        `levels_dbfs` and `active` are those of the frame. A channel is a leak while the other is, or within the last
        200 ms was, at least 6 dB louder and the two correlate (waveform, lags 0..200 ms), or 24 dB louder; and for
        100 ms after that while it stays that much softer.
        """
        for channel in range(2):
            self._past[channel].append(pcm[channel])
            self._levels[channel].append(levels_dbfs[channel])
        return self._leaks(0, active=active[0]), self._leaks(1, active=active[1])

    def shadowed(self, channel: int) -> bool:
        """Whether the other channel is, or within the last 200 ms was, so much louder that this one's sound may be its leak."""
        return max(self._levels[1 - channel]) - self._levels[channel][-1] >= _LEAK_DB

    def _leaks(self, channel: int, *, active: bool) -> bool:
        below = max(self._levels[1 - channel]) - self._levels[channel][-1]
        if not active or below < _LEAK_DB:
            self._tail[channel] = max(0, self._tail[channel] - 1)
            return False
        if below >= _FAINT_DB or self._correlates(channel):
            self._tail[channel] = _TAIL_FRAMES
            return True
        self._tail[channel] = max(0, self._tail[channel] - 1)
        return self._tail[channel] > 0

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
