"""An utterance's statistics: what they measure, what leaves them alone, and how their weights are found."""

from pathlib import Path

import numpy as np
import pytest

from convert.sound.corpora import Clip
from convert.sound.dataset import Prepared
from convert.voice.prosody import fit
from edge.bundle.golden import Recipe
from edge.signal.features import spectrogram
from edge.signal.prosody import COUNT, statistics
from edge.voice.labels import LABELS, NEGATIVE
from edge.voice.prosody import FAR, Prosody

MEDIAN, DEVIATION, RISING, FALLING, VOICED = 0, 1, 7, 8, 14


def voice(pitch=150, glide=0, seed=1, noise=60, peak=8000):
    return Recipe(seed=seed, seconds=2.0, pitch_hz=pitch, glide_hz=glide, peak=peak, noise=noise).pcm()


def said(pcm):
    return statistics(spectrogram(pcm))


def test_an_octave_is_twelve_semitones():
    assert said(voice(240))[MEDIAN] - said(voice(120))[MEDIAN] == pytest.approx(12, abs=1)


def test_a_rising_voice_rises_and_a_falling_one_falls_and_a_level_one_hardly_moves():
    up, down, level = said(voice(120, 120)), said(voice(240, -120)), said(voice(150))
    assert up[RISING] > up[FALLING]
    assert down[FALLING] > down[RISING]
    assert level[DEVIATION] < min(up[DEVIATION], down[DEVIATION])


def test_noise_has_fewer_voiced_frames_than_a_voice():
    noise = np.random.default_rng(1).normal(0, 2000, 32_000).astype(np.int16)
    assert said(noise)[VOICED] < said(voice())[VOICED] / 2


def test_gain_changes_nothing_and_silence_is_finite():
    loud, soft = said(voice(noise=0)), said((voice(noise=0) // 4).astype(np.int16))
    assert np.abs(loud - soft).max() < 0.5
    for pcm in (np.zeros(16_000, np.int16), np.zeros(1, np.int16)):
        assert said(pcm).shape == (COUNT,)
        assert np.isfinite(said(pcm)).all()


def weighing(place, weight):
    weights = np.zeros(COUNT)
    weights[place] = weight
    return Prosody(mean=(0.0,) * COUNT, scale=(1.0,) * COUNT, weights=tuple(weights), offset=0.5)


def test_weights_move_the_negative_emotions_alone_and_none_counts_beyond_its_bound():
    added = weighing(MEDIAN, 1.0).logits(spectrogram(voice(240)))
    assert {label for label, more in zip(LABELS, added, strict=True) if more} == NEGATIVE
    assert added.max() == pytest.approx(0.5 + FAR)


def test_a_fit_finds_what_tells_negative_clips_apart_within_a_corpus_and_not_what_tells_corpora_apart():
    clips, spectra = [], []
    for corpus, base in (("low", 110), ("high", 220)):
        for seed in range(8):
            for label in ("angry", "neutral"):
                # In both corpora an angry voice glides and a calm one does not; one corpus is an octave above the other.
                pcm = voice(base, 60 if label == "angry" else 0, seed=seed + 1)
                clips.append(Clip(path=Path("x"), label=label, speaker=f"{corpus}{seed}", corpus=corpus, item="x"))
                spectra.append(spectrogram(pcm).astype(np.float16))
    found = fit(Prepared(clips=tuple(clips), copies={"wide": spectra, "phone": spectra}))
    odds = [found.logits(s.astype(np.float32))[0] for s in spectra]
    angry = np.asarray([clip.label == "angry" for clip in clips])
    assert np.mean([a > b for a in np.asarray(odds)[angry] for b in np.asarray(odds)[~angry]]) > 0.9
    assert abs(found.weights[MEDIAN]) < found.weights[DEVIATION]
