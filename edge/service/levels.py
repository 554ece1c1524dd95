"""What is wrong with the level of a channel: silence, hum, clipping, offset, too quiet, too loud."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import Problem
from edge.values import FRAME_MS, SAMPLE_RATE, Frame, Pcm, Role

# A window of one second: long enough to tell 50 Hz from 60 Hz, short enough to be told within seconds.
_WINDOW_FRAMES = 1000 // FRAME_MS
# A call has pauses, but a phone line has noise in them: runs of exact zeros this long come from a driver, a mute or a dead input.
_SILENT_S = 30
# Packet telephony with silence suppression is digitally silent between calls, and while somebody listens. Sound that comes back out
# of such silence once may have been muted; so often, it is the line's nature, and then silence is told only ...
_BY_NATURE = 3
# ... after the longest time without a call that is no fault: a weekend ...
_NO_CALLS_S = 72 * 3600
# ITU-T P.56 puts active speech at -26 dBov; nearly all of a call under -60 dBFS means the gain is down or the wrong jack is used.
QUIET_DBFS = -60.0
# One sample in a hundred at full scale over ten seconds is audible as distortion.
CLIPPED_SHARE = 0.01
_CLIP_AT = 32_700
# A tenth of full scale of constant offset eats headroom and comes from a broken input.
_OFFSET = 3277.0
# Mains and its first two harmonics hold this share of a window's energy.
HUM_SHARE = 0.7
# Hum under this level disturbs nobody.
_HUM_DBFS = -50.0
# What is wrong with the input itself shows in so many seconds in a row before it is told.
_STREAK_S = 10
# Who speaks too loud pauses and listens, too: so many of the last seconds with sound in them.
_LOUD_S, _OF_LAST_S = 10, 20
# ... or in a call: after so long in one everybody has said something.
_QUIET_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One second of one channel: dBFS of its RMS, share of samples at full scale 0..1, mean in samples, hum share 0..1."""

    rms_dbfs: float
    clipped: float
    offset: float
    hum: float
    silent: bool
    stuck: bool


def level(pcm: Pcm) -> Level:
    """Figures of a stretch of one channel at 16 kHz (int16, 1-D, not empty)."""
    sound = pcm.astype(np.float64)
    offset = float(sound.mean())
    centred = sound - offset
    rms = float(np.sqrt(np.mean(centred**2)))
    return Level(
        rms_dbfs=20 * math.log10(rms / 32768) if rms else -math.inf,
        clipped=float(np.mean(np.abs(pcm.astype(np.int32)) >= _CLIP_AT)),
        offset=offset,
        hum=_hum(centred),
        silent=not pcm.any(),
        stuck=bool(pcm[0]) and bool((pcm == pcm[0]).all()),
    )


def _hum(centred: NDArray[np.float64]) -> float:
    """The largest share of energy (0..1) in one mains frequency (50 or 60 Hz) and its next two harmonics.

    Only up to 180 Hz: a higher harmonic would take signal tones for hum.
    """
    power = np.abs(np.fft.rfft(centred * np.hanning(len(centred)))) ** 2
    total = float(power.sum())
    if total == 0:
        return 0.0
    bins_per_hz = len(centred) / SAMPLE_RATE
    shares = []
    for mains in (50, 60):
        # A Hann window spreads a line over two bins to each side.
        near = {round(mains * n * bins_per_hz) + side for n in range(1, 4) for side in range(-2, 3)}
        shares.append(float(power[sorted(bin_ for bin_ in near if 0 < bin_ < len(power))].sum()) / total)
    return max(shares)


class LevelWatch:
    """Watches one line's frames; `feed` returns what is wrong with each channel as it stands, `last` is each channel's last second.

    Not for several threads. What it says changes at most once a second.
    """

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self._channels = [_ChannelWatch(role) for role in roles]
        self.last: tuple[Level, ...] = ()
        self._frames: list[Pcm] = []
        self._wrong: tuple[Problem, ...] = ()

    def feed(self, frame: Frame, *, in_call: bool) -> tuple[Problem, ...]:
        """Take one frame; lost ones say nothing about the level and are passed over. `in_call`: whether a call is open."""
        if frame.lost:
            return self._wrong
        self._frames.append(frame.pcm)
        if len(self._frames) == _WINDOW_FRAMES:
            window = np.concatenate(self._frames, axis=1)
            self._frames.clear()
            self.last = tuple(level(pcm) for pcm in window)
            watched = zip(self._channels, self.last, strict=True)
            self._wrong = tuple(sign for channel, one in watched for sign in channel.judge(one, in_call=in_call))
        return self._wrong


class _ChannelWatch:
    """What one channel's seconds have shown."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._silent_s = self._silences = 0
        self._streaks = dict.fromkeys(("stuck", "offset", "hum"), 0)
        self._clipped: deque[bool] = deque(maxlen=_OF_LAST_S)
        # Seconds into the call, and its loudest one; both stay as they are until the next call begins.
        self._call_s, self._loudest, self._was_in_call = 0, -math.inf, False

    def judge(self, now: Level, *, in_call: bool) -> list[Problem]:
        """One second more; everything that is wrong."""
        if not now.silent and self._silent_s > _SILENT_S:
            self._silences += 1
        self._silent_s = self._silent_s + 1 if now.silent else 0
        shown = {"stuck": now.stuck, "offset": abs(now.offset) >= _OFFSET and not now.stuck, "hum": _hums(now)}
        self._streaks = {name: self._streaks[name] + 1 if seen else 0 for name, seen in shown.items()}
        if now.rms_dbfs >= QUIET_DBFS:
            self._clipped.append(now.clipped >= CLIPPED_SHARE)
        self._follow_call(now.rms_dbfs, in_call=in_call)
        silent = self._silent_s > (_SILENT_S if self._silences < _BY_NATURE else _NO_CALLS_S)
        unheard = self._call_s >= _QUIET_S and self._loudest < QUIET_DBFS
        signs = {
            (f"digital silence for more than {_SILENT_S} s", "no call now, or check cable, jack and mute"): silent,
            ("digital silence all through the call", "check cable, jack and mute"): unheard and self._loudest == -math.inf,
            ("stuck level", "unplug the sound card and plug it in again"): self._streaks["stuck"] >= _STREAK_S,
            ("clipped", "turn the capture gain down"): sum(self._clipped) >= _LOUD_S,
            ("constant offset", "the input is broken or not a line input"): self._streaks["offset"] >= _STREAK_S,
            ("mains hum", "use an isolating line tap or another power supply"): self._streaks["hum"] >= _STREAK_S,
            ("very quiet all through the call", "turn the capture gain up"): unheard and self._loudest > -math.inf,
        }
        found = [Problem(what=what, where=self._role, remedy=remedy) for (what, remedy), so in signs.items() if so]
        return found[:1] if silent else found

    def _follow_call(self, rms_dbfs: float, *, in_call: bool) -> None:
        if in_call and not self._was_in_call:
            self._call_s, self._loudest = 0, -math.inf
        if in_call:
            self._call_s += 1
            self._loudest = max(self._loudest, rms_dbfs)
        self._was_in_call = in_call


def _hums(now: Level) -> bool:
    return now.hum >= HUM_SHARE and now.rms_dbfs >= _HUM_DBFS
