"""What a telephone and its surroundings do to speech, on PCM: int16, mono, 16 kHz in and out. Every function is pure.

`rng` is numpy's Generator: the same generator state gives the same sound.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from convert.sound.codecs import gsm
from edge.signal.pcm import alaw, mulaw, speech_rms
from edge.signal.resample import resample
from edge.signal.telephone import band_limit
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Rng = np.random.Generator
# Bumped whenever what this file does to a clip changes, so that cached features are made anew.
VERSION = 2
# Of a voice on a line, and the silence around it: 0.3 s before, 0.5 s after.
_SPOKEN_DBFS = -20.0
_AROUND = (3 * SAMPLE_RATE // 10, SAMPLE_RATE // 2)


def g711(pcm: Pcm, law: Callable[[Pcm], Pcm] = mulaw) -> Pcm:
    """`pcm` as it comes out of a G.711 line: 300-3400 Hz, 8 kHz, 8 bits, and back to 16 kHz."""
    narrow = law(band_limit(pcm)[::2])
    return _fit(resample(narrow, SAMPLE_RATE // 2), len(pcm))


def mobile(pcm: Pcm) -> Pcm:
    """`pcm` as it comes out of a GSM 06.10 full-rate call: 300-3400 Hz, 8 kHz, 13 kbit/s, and back to 16 kHz."""
    return _fit(resample(gsm(band_limit(pcm)[::2]), SAMPLE_RATE // 2), len(pcm))


def telephoned(pcm: Pcm, rate: int) -> Pcm:
    """Synthesised speech (int16, mono, at `rate`) as the endpointer hands it over from a G.711 line: pre-roll and hangover around it."""
    return np.pad(g711(at_level(resample(pcm, rate), _SPOKEN_DBFS)), _AROUND)


def at_level(pcm: Pcm, dbfs: float) -> Pcm:
    """`pcm` with its loudest 20 ms frames at `dbfs` (RMS); clips where that is too loud."""
    return _int16(pcm * (10 ** (dbfs / 20) * 32768 / speech_rms(pcm)))


def with_noise(pcm: Pcm, noise: Pcm, snr_db: float) -> Pcm:
    """`pcm` with `noise` (repeated or cut to fit) so far below the speech; both measured in the telephone band."""
    noise = band_limit(_fit(np.tile(noise, 1 + len(pcm) // max(1, len(noise))), len(pcm)))
    rms = float(np.sqrt(np.mean(np.square(noise.astype(np.float64))))) + 1.0
    return _int16(pcm + noise * (speech_rms(band_limit(pcm)) / rms * 10 ** (-snr_db / 20)))


def coloured_noise(samples: int, slope: float, rng: Rng) -> Pcm:
    """Noise whose power falls with frequency to the power of `slope`: 0 white, 1 pink, 2 brown."""
    # A power of two: transforms of prime length are twenty times as slow.
    size = 1 << max(samples, 2).bit_length()
    spectrum = np.fft.rfft(rng.normal(size=size))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** (-slope / 2)
    sound = np.fft.irfft(spectrum, size)[:samples]
    return _int16(sound / (np.std(sound) + 1e-9) * 3000)


def babble(voices: list[Pcm], samples: int) -> Pcm:
    """Several voices at once, each at the same level, cut or repeated to `samples`."""
    mixed = np.zeros(samples)
    for voice in voices:
        mixed += _fit(np.tile(voice, 1 + samples // max(1, len(voice))), samples) / speech_rms(voice)
    return _int16(mixed * (3000 / max(1, len(voices)) ** 0.5))


def room(pcm: Pcm, decay_s: float, wet: float, rng: Rng) -> Pcm:
    """`pcm` in a room: an exponentially decaying noise tail (60 dB in `decay_s`) of `wet` times the direct sound."""
    tail = rng.normal(size=max(2, int(decay_s * SAMPLE_RATE)))
    tail *= np.exp(-6.9 * np.arange(len(tail)) / len(tail))
    response = np.concatenate([[1.0], np.zeros(32), wet * tail / np.sqrt(np.sum(tail**2))])
    return _filtered(pcm, response)


def handset(pcm: Pcm, rng: Rng, depth_db: float = 8.0) -> Pcm:
    """`pcm` through a random smooth frequency response, +-`depth_db` at six points of the telephone band."""
    size = 512
    points = np.concatenate([[0.0], np.geomspace(200, 4000, 6), [8000.0]])
    gains = np.concatenate([[0.0], rng.uniform(-depth_db, depth_db, 6), [0.0]])
    curve = 10 ** (np.interp(np.linspace(0, 8000, size // 2 + 1), points, gains) / 20)
    response = np.roll(np.fft.irfft(curve, size), size // 2) * np.hanning(size)
    return _filtered(pcm, response)[size // 2 :][: len(pcm)] if len(pcm) > size else pcm


def faster(pcm: Pcm, factor: float) -> Pcm:
    """`pcm` played `factor` times as fast: tempo, pitch and vocal tract together, as another speaker would differ."""
    return resample(pcm, round(SAMPLE_RATE * factor))


def clipped(pcm: Pcm, share: float) -> Pcm:
    """`pcm` limited so hard that about `share` of its samples are cut."""
    limit = max(1.0, float(np.sort(np.abs(pcm.astype(np.int32)))[int((1 - share) * (len(pcm) - 1))]))
    return _int16(np.clip(pcm, -limit, limit))


def packet_loss(pcm: Pcm, share: float, rng: Rng) -> Pcm:
    """`pcm` with `share` of its 20 ms packets lost and concealed by a repetition that fades (G.711 appendix I in short)."""
    out = pcm.copy()
    faded = np.linspace(1.0, 0.5, FRAME_SAMPLES)
    for at in range(FRAME_SAMPLES, len(pcm) - FRAME_SAMPLES, FRAME_SAMPLES):
        if rng.random() < share:
            out[at : at + FRAME_SAMPLES] = np.rint(out[at - FRAME_SAMPLES : at] * faded)
    return out


def padded(pcm: Pcm, before_s: float, after_s: float, rng: Rng, level: float = 3.0) -> Pcm:
    """`pcm` with quiet around it (noise of `level` steps RMS), as an endpointer with pre-roll and hangover hands it over."""
    before, after = (rng.normal(0, level, int(s * SAMPLE_RATE)) for s in (before_s, after_s))
    return np.concatenate([_int16(before), pcm, _int16(after)])


def telephone_call(pcm: Pcm, others: list[Pcm], rng: Rng, street: Pcm | None = None) -> Pcm:
    """`pcm` as some telephone call might bring it: a random chain of all the above.

    `others` are voices for babble, `street` recorded noise for half of the calls that have any.
    """
    if rng.random() < 0.6:  # noqa: PLR2004
        pcm = faster(pcm, float(rng.uniform(0.88, 1.14)))
    pcm = padded(pcm, float(rng.uniform(0, 0.4)), float(rng.uniform(0, 0.6)), rng)
    if rng.random() < 0.35:  # noqa: PLR2004
        pcm = room(pcm, float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.7)), rng)
    if rng.random() < 0.5:  # noqa: PLR2004
        pcm = handset(pcm, rng)
    if rng.random() < 0.65:  # noqa: PLR2004
        noise = _behind(len(pcm), others, street, rng)
        pcm = with_noise(pcm, noise, float(rng.uniform(4, 30)))
    pcm = at_level(pcm, float(rng.uniform(-38, -8)))
    if rng.random() < 0.1:  # noqa: PLR2004
        pcm = clipped(pcm, float(rng.uniform(0.001, 0.03)))
    if rng.random() < 0.25:  # noqa: PLR2004
        # From a mobile telephone; the exchange makes G.711 of it.
        pcm = mobile(pcm)
    if rng.random() < 0.8:  # noqa: PLR2004
        pcm = g711(pcm, mulaw if rng.random() < 0.5 else alaw)  # noqa: PLR2004
    if rng.random() < 0.1:  # noqa: PLR2004
        pcm = packet_loss(pcm, float(rng.uniform(0.01, 0.06)), rng)
    return pcm


def _behind(samples: int, others: list[Pcm], street: Pcm | None, rng: Rng) -> Pcm:
    """What is to be heard behind a caller: a street, other voices, or the hiss and hum of a line."""
    if street is not None and len(street) and rng.random() < 0.5:  # noqa: PLR2004
        return np.roll(street, int(rng.integers(len(street))))
    if others and rng.random() < 0.4:  # noqa: PLR2004
        return babble(others, samples)
    return coloured_noise(samples, float(rng.uniform(0, 2)), rng)


def _filtered(pcm: Pcm, response: NDArray[np.float64]) -> Pcm:
    size = 1 << (len(pcm) + len(response)).bit_length()
    return _int16(np.fft.irfft(np.fft.rfft(pcm, size) * np.fft.rfft(response, size), size)[: len(pcm)])


def _fit(pcm: Pcm, samples: int) -> Pcm:
    return pcm[:samples] if len(pcm) >= samples else np.concatenate([pcm, np.zeros(samples - len(pcm), np.int16)])


def _int16(sound: NDArray[np.floating]) -> Pcm:
    return np.asarray(np.clip(np.rint(sound), -32768, 32767), np.int16)
