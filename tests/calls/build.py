"""From a script (YAML) to a telephone recording and the truth about it.

    roles: [customer, agent]            # left, right; or [customer], or [mixed] (everybody in one channel)
    noise_dbfs: -55                     # pink noise on each channel; null: none
    sidetone_db: -30                    # how far below itself each side leaks into the other channel; null: not at all
    sidetone_ms: 1                      # and how late
    seed: 1
    script:                             # each item begins `after` seconds behind the end of the last one (0.4), or `at`
      - {customer: "...", voice: "flite:rms", pace: 1.1, pitch: 1.0, dbfs: -20, after: -0.8}
      - {play: us.busy, on: agent, for_s: 6, dbfs: -20}
      - {announce: "You are number three in the queue.", on: agent}
      - {silence: 12}
      - {lost_ms: 60, at: 12.5}         # the network lost this much, on all channels

Everything is 8 kHz and has been through the telephone band (300 to 3400 Hz) and G.711 mu-law.
"""

import json
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.values import Block, Role
from tests.calls import sounds
from tests.calls.voices import RATE, Sound, speak

# Who speaks how when the script does not say: those two that Vosk hears best on the telephone (measured: 2 and 9 % WER).
_VOICES = {"customer": "flite:rms", "agent": "flite:slt"}
_RECORDED = "flite:awb"
_TAIL_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One turn as it was put into the recording, in seconds."""

    role: str
    start: float
    end: float
    text: str
    interrupts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One other sound as it was put into the recording, in seconds."""

    kind: str
    role: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A scripted call: int16 (samples, channels) at 8 kHz, and the truth about it."""

    pcm: NDArray[np.int16] = field(repr=False)
    roles: tuple[Role, ...]
    spoken: tuple[Spoken, ...]
    played: tuple[Played, ...]
    lost: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / RATE

    def blocks(self, chunk_ms: int = 20) -> list[Block]:
        """The recording as a source would hand it over; lost packets are missing from it."""
        blocks: list[Block] = []
        step, lost = RATE * chunk_ms // 1000, 0
        kept = np.ones(len(self.pcm), np.bool_)
        for start, end in self.lost:
            kept[round(start * RATE) : round(end * RATE)] = False
        edges = np.unique(np.concatenate((np.arange(0, len(kept), step), np.flatnonzero(np.diff(kept.astype(np.int8))) + 1, [len(kept)])))
        for low, high in pairwise(edges):
            if not kept[low]:
                lost += int(high - low)
                continue
            blocks.append(Block(pcm=self.pcm[low:high], rate=RATE, lost=lost))
            lost = 0
        return blocks

    def write(self, path: Path) -> None:
        """As a 16-bit WAV file; lost packets are zeros in it."""
        pcm = self.pcm.copy()
        for start, end in self.lost:
            pcm[round(start * RATE) : round(end * RATE)] = 0
        with wave.open(str(path), "wb") as file:
            file.setnchannels(pcm.shape[1])
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.ascontiguousarray(pcm).tobytes())


def build(script: Mapping[str, Any]) -> Recording:
    """The recording that `script` describes; the same one each time, and nobody may write into it."""
    return _built(json.dumps(script))


# As many as the suite has; several cases hear each.
@lru_cache(maxsize=64)
def _built(written: str) -> Recording:
    script = json.loads(written)
    roles = tuple(Role(role) for role in script.get("roles", ["customer", "agent"]))
    rng = np.random.default_rng(script.get("seed", 1))
    tracks: dict[str, list[tuple[float, Sound]]] = {}
    spoken: list[Spoken] = []
    played: list[Played] = []
    lost: list[tuple[float, float]] = []
    now = float(script.get("starts_s", 1.0))
    for number, item in enumerate(script["script"]):
        if "silence" in item:
            now += item["silence"]
            continue
        start = float(item["at"]) if "at" in item else max(0.0, now + item.get("after", 0.4 if number else 0.0))
        if "lost_ms" in item:
            lost.append((start, start + item["lost_ms"] / 1000))
            continue
        gain = 10 ** ((item.get("dbfs", -20.0) + 20.0) / 20)
        who = next((role for role in _VOICES if role in item), None)
        if who is not None:
            voice = item.get("voice", script.get("voices", {}).get(who, _VOICES[who]))
            sound = speak(item[who], voice, pace=item.get("pace", 1.0), pitch=item.get("pitch", 1.0)) * gain
            spoken.append(
                Spoken(role=who, start=start, end=start + len(sound) / RATE, text=item[who], interrupts=item.get("interrupts", False))
            )
        else:
            who = item.get("on", "customer")
            kind = "announcement" if "announce" in item else item["play"]
            sound = speak(item["announce"], _RECORDED) if "announce" in item else sounds.make(kind, item.get("for_s", 3.0), rng)
            sound = sound * gain
            played.append(Played(kind=kind, role=who, start=start, end=start + len(sound) / RATE))
        tracks.setdefault(who, []).append((start, sound))
        now = start + len(sound) / RATE
    length = round((max(now, script.get("least_s", 0.0)) + script.get("tail_s", _TAIL_S)) * RATE)
    channels = np.stack([_track(role, tracks, length, mixed=roles == (Role.MIXED,)) for role in roles])
    pcm = _telephone(channels, script, rng)
    pcm.flags.writeable = False
    return Recording(
        pcm=pcm,
        roles=roles,
        spoken=tuple(spoken),
        played=tuple(played),
        lost=tuple(lost),
    )


def _track(role: Role, tracks: Mapping[str, list[tuple[float, Sound]]], length: int, *, mixed: bool) -> Sound:
    track = np.zeros(length)
    for who, pieces in tracks.items():
        for start, sound in pieces if mixed or who in (role.value, "both") else ():
            first = round(start * RATE)
            piece = sound[: length - first]
            track[first : first + len(piece)] += piece
    return track


def _telephone(channels: Sound, script: Mapping[str, Any], rng: np.random.Generator) -> NDArray[np.int16]:
    """Sidetone, noise, telephone band and codec; int16 (samples, channels)."""
    sidetone = script.get("sidetone_db", -30)
    if sidetone is not None and len(channels) > 1:
        channels = channels + 10 ** (sidetone / 20) * np.roll(channels[::-1], round(script.get("sidetone_ms", 1) * RATE / 1000), axis=1)
    length, padded = channels.shape[1], _quick(channels.shape[1])
    spectrum = np.fft.rfft(channels, padded)
    hz = np.fft.rfftfreq(padded, 1 / RATE)
    noise = script.get("noise_dbfs", -55)
    if noise is not None:
        pink = np.fft.rfft(rng.normal(size=channels.shape), padded) / np.sqrt(np.maximum(hz, 50.0))
        pink *= (hz >= 300) & (hz <= 3400)
        spectrum += pink * (10 ** (noise / 20) / np.sqrt(np.mean(np.fft.irfft(pink, padded)[:, :length] ** 2)))
    spectrum[:, (hz < 300) | (hz > 3400)] = 0
    return _mulaw(np.clip(np.fft.irfft(spectrum, padded)[:, :length], -1, 1)).T


def _quick(length: int) -> int:
    """The next length with no prime factor above 5: a Fourier transform of another may take ten times as long."""

    def rest(n: int) -> int:
        for prime in (2, 3, 5):
            while n % prime == 0:
                n //= prime
        return n

    return next(n for n in count(length) if rest(n) == 1)


def _mulaw(sound: Sound) -> NDArray[np.int16]:
    """There and back through 8 bits of mu-law (ITU-T G.711, by its continuous formula)."""
    code = np.round(np.sign(sound) * np.log1p(255 * np.abs(sound)) / np.log(256) * 127) / 127
    linear: NDArray[np.int16] = np.round(np.sign(code) * (256 ** np.abs(code) - 1) / 255 * 32767).astype(np.int16)
    return linear
