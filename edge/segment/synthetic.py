"""Sound that a line takes for speech, made from numbers alone: for the self-test and for measuring what a box can carry.

A pulse train through three formant resonators (Klatt, JASA 67, 1980, in its simplest cascade form), in the rhythm of syllables.
Deterministic: the same seed gives the same samples. It is nobody's voice and holds no words.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edge.segment.crosstalk import CustomerUtterance, customer_utterance
from edge.values import FRAME_SAMPLES, SAMPLE_RATE, Pcm, Role, Utterance

# Formant frequencies of five vowels (Peterson and Barney, JASA 24, 1952: men), Hz.
_VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
_BANDWIDTHS = (90, 110, 170)
# Four syllables a second is ordinary speech.
_SYLLABLE = SAMPLE_RATE // 4
# -20 dBFS at the loudest syllable: an ordinary telephone level.
_PEAK = 6000
# The noise of a line, so that pauses are not digitally silent.
_NOISE = 12
# What those two make, roughly.
_SNR_DB = 40.0


def speech(seconds: float, *, seed: int = 1, pitch_hz: float = 120.0) -> Pcm:
    """`seconds` of syllables without a pause: int16, 1-D, 16 kHz."""
    rng = np.random.default_rng(seed)
    syllables = max(1, round(seconds * SAMPLE_RATE / _SYLLABLE))
    sound = np.concatenate([_syllable(rng, pitch_hz * float(rng.uniform(0.85, 1.2))) for _ in range(syllables)])
    return _int16(sound + rng.normal(0, _NOISE, len(sound)))


def dialogue(seconds: float, channels: int, *, seed: int = 1) -> Pcm:
    """Speakers who take turns of 3 s, one a channel, with 0.8 s between them: int16, (channels, samples), 16 kHz."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, _NOISE, (channels, round(seconds * SAMPLE_RATE)))
    at, turn = SAMPLE_RATE // 2, 0
    while at < sound.shape[1]:
        said = speech(3.0, seed=seed + turn, pitch_hz=120 if turn % 2 else 190)[: sound.shape[1] - at]
        sound[turn % channels, at : at + len(said)] += said
        at, turn = at + len(said) + SAMPLE_RATE * 8 // 10, turn + 1
    return _int16(sound)


def made_up_customer(seconds: float) -> CustomerUtterance:
    """An utterance of `speech`, as the voice branch takes it."""
    pcm = speech(seconds, pitch_hz=190.0)
    pcm = pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES]
    utterance = Utterance(
        channel=0,
        role=Role.CUSTOMER,
        start=0,
        end=len(pcm),
        speech_end=len(pcm),
        pcm=pcm,
        voiced=np.ones(len(pcm) // FRAME_SAMPLES, np.bool_),
        turn=0,
        level_dbfs=20 * math.log10(float(np.sqrt(np.mean(pcm.astype(np.float64) ** 2))) / 32768),
        snr_db=_SNR_DB,
    )
    customer = customer_utterance(utterance)
    if customer is None:
        raise ValueError("a made-up customer is none")
    return customer


def _syllable(rng: np.random.Generator, pitch_hz: float) -> NDArray[np.float64]:
    """One syllable: a breath of noise, then a vowel that swells and falls."""
    time_s = np.arange(_SYLLABLE) / SAMPLE_RATE
    glide = pitch_hz * (1.08 - 0.5 * time_s)
    pulses = (np.diff(np.floor(np.cumsum(glide) / SAMPLE_RATE), prepend=0) > 0).astype(np.float64)
    source = pulses + 0.02 * rng.normal(size=_SYLLABLE)
    vowel = _filtered(source, _VOWELS[int(rng.integers(len(_VOWELS)))])
    vowel *= np.sin(np.pi * np.arange(_SYLLABLE) / _SYLLABLE) ** 0.5
    breath = np.zeros(_SYLLABLE)
    breath[: _SYLLABLE // 6] = rng.normal(0, 0.08, _SYLLABLE // 6)
    vowel /= np.abs(vowel).max()
    return _PEAK * float(rng.uniform(0.5, 1.0)) * (vowel + breath)


def _filtered(source: NDArray[np.float64], formants: tuple[int, ...]) -> NDArray[np.float64]:
    """`source` through a cascade of resonators, in the frequency domain."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(2 * len(source)))
    response = np.ones_like(z)
    for hertz, width in zip(formants, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        cosine = 2 * radius * np.cos(2 * np.pi * hertz / SAMPLE_RATE)
        response /= 1 - cosine * z + radius**2 * z**2
    filtered: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(source, 2 * len(source)) * response)[: len(source)]
    return filtered


def _int16(sound: NDArray[np.float64]) -> Pcm:
    pcm: Pcm = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return pcm
