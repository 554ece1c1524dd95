"""Signal tones of one channel: which frequencies stand in the spectrum, in which cadence, and what that is called."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.segment.plan import TonePlan
from edge.segment.spectrum import TONE_BIN_HZ, TONE_FIRST_BIN, FrameSpectrum
from edge.values import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, ClosedBy, Tone

# A Hann window of 100 ms spreads a sine over 40 Hz: three bins of 7.8 Hz to each side.
_LOBE: Final = 3
# The howler is four tones; more is music.
_MOST_PEAKS: Final = 4
# Weaker than -13 dB against the strongest is distortion: E.180 asks for tones within 6 dB of each other.
_LEAST_PEAK: Final = 0.05
# Two tones 10 dB above noise hold 0.9 of the band's power; vowels over 100 ms stay under 0.8 but for moments.
_SHARE: Final = 0.85
# While a tone begins or ends within the window (DTMF is 50 to 100 ms long) its lobe is wider.
_SHARE_DTMF: Final = 0.7
_QUIETEST_DBFS: Final = -50.0
# E.180 keeps tones within 1 %, old exchanges within 2 %; 10 Hz is what the window can tell.
_OFF_BY, _OFF_BY_HZ = 0.015, 10.0
# A tone that no plan knows is one or two frequencies, purer than tones of a plan need be, and steady: over 100 ms the
# stronger moves by less than this, five frames on end. Measured: three such moments in seven minutes of recorded speech.
_STEADY_SHARE, _STEADY_PEAKS = 0.93, 2
_STEADY_HZ, _STEADY_LAG, _STEADY_FRAMES = 1.0, 5, 5
# So many frames of it have gone by when it is known.
STEADY_KNOWN_AFTER: Final = _STEADY_LAG + _STEADY_FRAMES
# The window blurs edges by 40 ms; exchanges differ by 10 to 15 % (E.180, clause 4).
_CADENCE_SHARE, _CADENCE_MS = 0.15, 45
# From here on a pause only says that the tone is over: ringback is often cut short by the answer.
_LONG_PAUSE_MS: Final = 900
# No cadence of any plan is on for 2 s but the North American ringback, whose frequencies are its own.
_CONTINUOUS_MS: Final = 2300
# Call waiting pauses for 10 s; what comes later begins anew.
_FORGET_MS: Final = 12_000
# No ringback of E.180 pauses longer than 5 s.
_RINGING_MS: Final = 6000
# Busy is called busy after three rounds: music and chance make two.
_ROUNDS: Final = 3
# A digit of 50 ms shows in the window for 60 ms and more (ITU-T Q.24 asks receivers to take 40); vowels seldom pass for one so long.
_DTMF_FRAMES: Final = 3
_DTMF_APART: Final = 5 * SAMPLE_RATE
# T.30's 2100 Hz lasts 2.6 s at least; each of the three SIT steps 274 ms, without more than 30 ms between them.
_SIT_LEAST_FRAMES: Final = 8
_SIT_GAP_FRAMES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A tone was recognised: its name, where it began, and how the call before it ended if it says so."""

    channel: int
    name: Tone
    start: int
    closes: ClosedBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The strongest steady frequencies in 100 ms of sound, strongest first, and their share of the band's power, 0..1."""

    hz: tuple[float, ...]
    share: float


_NOTHING: Final = Peaks(hz=(), share=0.0)
_PLACES: Final = np.arange(2 * _LOBE + 1)


def peaks(spectrum: FrameSpectrum) -> Peaks:
    """Up to four peaks of `spectrum`; frequencies by centroid, good to 2 Hz. Nothing where they cannot hold the share of any tone."""
    tones = spectrum.tones
    total = float(np.add.reduce(tones, dtype=np.float64))
    needed = total * _SHARE_DTMF
    # No lobe holds more than its highest bin seven times over: speech is mostly found out here, before the costly part.
    if float(tones.max()) * _MOST_PEAKS * len(_PLACES) < needed or total <= 0.0:
        return _NOTHING
    powers = tones.astype(np.float64)
    found: list[float] = []
    inside = strongest = 0.0
    while len(found) < _MOST_PEAKS:
        top = int(powers.argmax())
        if inside + powers[top] * (_MOST_PEAKS - len(found)) * len(_PLACES) < needed:
            return _NOTHING
        low, high = max(0, top - _LOBE), top + _LOBE + 1
        lobe = powers[low:high]
        power = float(np.add.reduce(lobe))
        strongest = strongest or power
        if power < _LEAST_PEAK * strongest:
            break
        found.append((TONE_FIRST_BIN + low + float(np.dot(_PLACES[: len(lobe)], lobe)) / power) * TONE_BIN_HZ)
        inside += power
        powers[low:high] = 0.0
        if inside >= total * (1.0 - _LEAST_PEAK):
            break
    return Peaks(hz=tuple(found), share=inside / total)


def _near(heard: float, wanted: float) -> bool:
    return abs(heard - wanted) <= max(_OFF_BY_HZ, wanted * _OFF_BY)


def _same(heard: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
    """Whether the peaks heard are the wanted ones: all of them, and no others."""
    return len(heard) == len(wanted) and all(_near(h, w) for h, w in zip(sorted(heard), sorted(wanted), strict=True))


def _fits(on_ms: int, off_ms: int, want_on: int, want_off: int) -> bool:
    def near(heard: int, wanted: int) -> bool:
        return abs(heard - wanted) <= _CADENCE_MS + wanted * _CADENCE_SHARE

    return near(on_ms, want_on) and (near(off_ms, want_off) or min(off_ms, want_off) >= _LONG_PAUSE_MS)


class ToneTracker:
    """Follows the tones of one channel.

    `tonal` says whether the last frame was a tone, `known` whether one of the plan, and `steady_now` that an unknown one has
    just been recognised, `STEADY_KNOWN_AFTER` frames late.
    """

    def __init__(self, channel: int, plan: TonePlan) -> None:
        self._channel, self._plan = channel, plan
        self._sets = sorted({tone.hz for tone in plan.tones})
        self.tonal = self.known = self.steady_now = False
        self._key: tuple[float, ...] | None = None
        self._start = self._on = self._off = 0
        self._rounds: deque[tuple[int, int, int]] = deque(maxlen=_ROUNDS * 2)
        self._named: str | None = None
        self._closed = False
        self._strongest: deque[float] = deque([0.0] * _STEADY_LAG, _STEADY_LAG)
        self._steady = 0
        self._dtmf = 0
        self._dtmf_last = -_DTMF_APART
        self._sit, self._sit_on, self._sit_gap, self._sit_start = 0, 0, 0, 0

    @property
    def ringing(self) -> bool:
        """Whether a ringback tone is being heard, or its pause."""
        return self._named is Tone.RINGBACK and self._off * FRAME_MS < _RINGING_MS

    def update(self, start: int, spectrum: FrameSpectrum) -> list[Signal]:
        """Take the frame at sample `start`; the signals that it completes."""
        heard = peaks(spectrum) if spectrum.level_dbfs > _QUIETEST_DBFS else _NOTHING
        clear = heard.share >= _SHARE
        pure = heard.share >= _STEADY_SHARE and len(heard.hz) <= _STEADY_PEAKS
        strongest = heard.hz[0] if pure else 0.0
        self._steady = self._steady + 1 if pure and abs(strongest - self._strongest[0]) < _STEADY_HZ else 0
        self._strongest.append(strongest)
        # 350 + 440 and 350 + 450 Hz are both dial tones: the nearest set it is.
        near = [wanted for wanted in self._sets if _same(heard.hz, wanted)] if clear else []
        key = min(near, key=lambda wanted: abs(sum(wanted) - sum(heard.hz)), default=None)
        signals = [*self._dial(start, heard), *self._announcement(start, heard if clear else _NOTHING)]
        self.known = key is not None or self._dtmf > 0
        self.tonal = self.known or self._steady >= _STEADY_FRAMES
        self.steady_now = self._steady == _STEADY_FRAMES
        return signals + self._cadence(start, key)

    def _cadence(self, start: int, key: tuple[float, ...] | None) -> list[Signal]:
        if key is not None and key != self._key:
            self._key, self._start, self._on, self._off, self._named, self._closed = key, start, 0, 0, None, False
            self._rounds.clear()
        if self._key is None:
            return []
        if key is None:
            self._off += 1
            if self._off * FRAME_MS == _LONG_PAUSE_MS + 100:
                return self._recognise((self._start, self._on * FRAME_MS, self._off * FRAME_MS))
            # A tone that has closed a call is over after its pause: the next call may end by the same one.
            if self._off * FRAME_MS > (_LONG_PAUSE_MS + 100 if self._closed else _FORGET_MS):
                self._key = None
            return []
        if self._off:
            self._rounds.append((self._start, self._on * FRAME_MS, self._off * FRAME_MS))
            self._start, self._on, self._off = start, 0, 0
        self._on += 1
        return self._recognise(None)

    def _recognise(self, last: tuple[int, int, int] | None) -> list[Signal]:
        rounds = [*self._rounds, *([last] if last else [])]
        for tone in self._plan.tones:
            if tone.hz != self._key or self._named == tone.name:
                continue
            start = self._start
            if not tone.cadence_ms:
                heard = self._on * FRAME_MS >= _CONTINUOUS_MS
            else:
                pairs = list(zip(tone.cadence_ms[::2], tone.cadence_ms[1::2], strict=True))
                needed = _ROUNDS if tone.closes else len(pairs)
                latest = rounds[-needed:]
                heard = len(latest) == needed and any(
                    all(_fits(on, off, *pairs[(place + turn) % len(pairs)]) for place, (_, on, off) in enumerate(latest))
                    for turn in range(len(pairs))
                )
                start = latest[0][0] if latest else start
            if heard:
                self._named, self._closed = tone.name, tone.closes is not None
                # The window shows a tone about two frames late.
                start = max(0, start - 2 * FRAME_SAMPLES)
                return [Signal(channel=self._channel, name=tone.name, start=start, closes=tone.closes)]
        return []

    def _dial(self, start: int, heard: Peaks) -> list[Signal]:
        if heard.share < _SHARE_DTMF:
            self._dtmf = 0
            return []
        row = any(_near(hz, wanted) for hz in heard.hz[:2] for wanted in self._plan.dtmf_rows)
        column = any(_near(hz, wanted) for hz in heard.hz[:2] for wanted in self._plan.dtmf_columns)
        self._dtmf = self._dtmf + 1 if row and column else 0
        if self._dtmf != _DTMF_FRAMES or start - self._dtmf_last < _DTMF_APART:
            return []
        self._dtmf_last = start
        return [Signal(channel=self._channel, name=Tone.DTMF, start=start)]

    def _announcement(self, start: int, heard: Peaks) -> list[Signal]:
        """Special information tones: three steps upwards."""
        steps = self._plan.sit_hz
        if len(heard.hz) == 1 and self._sit < len(steps) and any(_near(heard.hz[0], hz) for hz in steps[self._sit]):
            self._sit_start = start if self._sit == 0 and self._sit_on == 0 else self._sit_start
            self._sit_on += 1
            self._sit_gap = 0
            if self._sit_on >= _SIT_LEAST_FRAMES:
                self._sit, self._sit_on = self._sit + 1, 0
        elif self._sit or self._sit_on:
            before = bool(self._sit) and len(heard.hz) == 1 and any(_near(heard.hz[0], hz) for hz in steps[self._sit - 1])
            self._sit_gap = 0 if before else self._sit_gap + 1
            if self._sit_gap > _SIT_GAP_FRAMES:
                self._sit = self._sit_on = 0
        if self._sit < len(steps):
            return []
        self._sit = self._sit_on = 0
        return [Signal(channel=self._channel, name=Tone.SIT, start=self._sit_start)]
