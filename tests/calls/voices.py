"""Speech synthesis for scripted calls: flite and espeak-ng, kept in .cache/calls by what was asked of them."""

import hashlib
import os
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Sound = NDArray[np.float64]
CACHE = Path(__file__).parents[2] / ".cache" / "calls"
# Mean pitch of flite's voices in Hz; `pitch` scales it.
_FLITE_PITCH = {"slt": 170.0, "rms": 105.0, "awb": 130.0, "kal": 105.0, "kal16": 105.0}
MISSING = tuple(name for name in ("flite", "espeak-ng") if shutil.which(name) is None)


def speak(text: str, voice: str, *, pace: float = 1.0, pitch: float = 1.0) -> Sound:
    """`text` spoken at 8 kHz, float64 of full scale 1.0, without silence at its ends, at an active level of -20 dBFS.

    `voice` is "flite:slt" or "espeak:en-gb+f3"; `pace` 1.2 is a fifth faster; `pitch` 1.2 is a fifth higher.
    """
    engine, name = voice.split(":")
    key = hashlib.sha256(repr((text, voice, pace, pitch)).encode()).hexdigest()[:24]
    path = CACHE / f"{key}.wav"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Two workers may ask for the same sentence at once.
        fresh = path.with_suffix(f".{os.getpid()}.wav")
        if engine == "flite":
            mean = _FLITE_PITCH[name] * pitch
            options = ["--setf", f"duration_stretch={1 / pace:.3f}", "--setf", f"int_f0_target_mean={mean:.1f}"]
            subprocess.run(["flite", "-voice", name, *options, "-t", text, "-o", str(fresh)], check=True)
        else:
            options = ["-s", str(round(165 * pace)), "-p", str(round(min(99, 50 * pitch)))]
            subprocess.run(["espeak-ng", "-v", name, *options, "-w", str(fresh), text], check=True)
        fresh.rename(path)
    return _trim(_read(path))


def resample(sound: Sound, rate: int, to: int) -> Sound:
    """`sound` at another rate, by its Fourier transform: exact for whole clips, and no filter to choose."""
    if rate == to:
        return sound
    count = round(len(sound) * to / rate)
    spectrum = np.fft.rfft(sound)[: count // 2 + 1]
    resampled: Sound = np.fft.irfft(np.pad(spectrum, (0, count // 2 + 1 - len(spectrum))), count) * (count / len(sound))
    return resampled


def _read(path: Path) -> Sound:
    with wave.open(str(path)) as clip:
        pcm = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)
        return resample(pcm / 32768.0, clip.getframerate(), RATE)


def _trim(sound: Sound) -> Sound:
    """Cut what is 40 dB below the loudest 10 ms off both ends; set the level of what is within 20 dB of it to -20 dBFS."""
    step = RATE // 100
    blocks = sound[: len(sound) // step * step].reshape(-1, step)
    power = np.mean(blocks**2, axis=1)
    heard = np.flatnonzero(power > power.max() * 1e-4)
    active = power[power > power.max() * 1e-2].mean()
    trimmed: Sound = sound[heard[0] * step : (heard[-1] + 1) * step] * (0.1 / np.sqrt(active))
    return trimmed
