"""The one feature module: the same numbers whatever the gain, the band, the cut and the chunking."""

import numpy as np
import pytest

from edge.bundle.golden import Recipe
from edge.capture.wavfile import blocks, write
from edge.signal.features import LEVEL, PITCH, active_frames, quantise, spectrogram, windows
from edge.signal.pcm import alaw, clipping_share, level_dbfs, mulaw, speech_dbfs
from edge.signal.resample import frames
from edge.signal.spec import SPEC
from edge.signal.telephone import band_limit


def speech(seconds=2.5, peak=8000, noise=20):
    return Recipe(seed=7, seconds=seconds, pitch_hz=140, glide_hz=60, peak=peak, noise=noise).pcm()


def tone(hz, amplitude=8000, samples=16_000):
    return np.rint(amplitude * np.sin(2 * np.pi * hz * np.arange(samples) / 16_000)).astype(np.int16)


def test_windows_have_the_shape_and_range_of_the_spec():
    cut = windows(spectrogram(speech()))
    assert cut.features.shape == (1, SPEC.frames, SPEC.bands, SPEC.planes)
    assert cut.features.dtype == np.float32
    assert cut.features.min() >= -1.0
    assert cut.features.max() <= 1.0


def test_the_same_sound_gives_the_same_bits_twice():
    assert np.array_equal(windows(spectrogram(speech())).features, windows(spectrogram(speech())).features)


def test_a_gain_changes_next_to_nothing():
    loud = speech(noise=0)
    soft = np.rint(loud / 4).astype(np.int16)
    difference = np.abs(windows(spectrogram(loud)).features - windows(spectrogram(soft)).features)
    # Half a step of 16 bits is all that differs; it shows in the quietest cells only.
    assert np.median(difference) < 0.01


def test_what_lies_outside_the_telephone_band_changes_next_to_nothing():
    wide = speech().astype(np.int32) + tone(5000, 2000, 40_000) + tone(80, 2000, 40_000)
    difference = np.abs(windows(spectrogram(wide.astype(np.int16))).features - windows(spectrogram(speech())).features)
    assert np.mean(difference) < 0.01


def test_a_telephone_copy_looks_like_the_wideband_one():
    wide = speech(noise=100)
    difference = np.abs(windows(spectrogram(band_limit(wide))).features - windows(spectrogram(wide)).features)
    assert np.mean(difference) < 0.05


def test_quiet_around_the_speech_is_cut_off():
    def padded(before, after):
        return np.concatenate([np.zeros(before * 320, np.int16), speech(2.0, noise=0), np.zeros(after * 320, np.int16)])

    # An endpointer's pre-roll of 0.3 s and hangover of 0.5 s, and a studio's generous second.
    assert np.array_equal(windows(spectrogram(padded(15, 25))).features, windows(spectrogram(padded(50, 75))).features)


def test_long_speech_is_read_in_windows_that_overlap_by_half_and_end_with_it():
    cut = windows(spectrogram(speech(8.0)))
    assert len(cut.features) == 5


def test_a_sine_at_full_scale_reads_as_its_level_in_one_band():
    peaks = spectrogram(tone(1000))[..., LEVEL].max(axis=1)
    # 20 log10(8000) is 78 dB; two triangles share it.
    assert peaks == pytest.approx(np.full(len(peaks), 75), abs=4)


def test_no_sound_and_one_sample_still_give_a_frame():
    assert spectrogram(np.zeros(1, np.int16)).shape == (1, SPEC.bands, SPEC.planes)
    assert windows(spectrogram(np.zeros(1, np.int16))).features.shape[0] == 1


def test_active_frames_are_where_the_speech_is():
    padded = np.concatenate([np.zeros(16_000, np.int16), speech(1.0), np.zeros(16_000, np.int16)])
    active = active_frames(spectrogram(padded)[..., LEVEL])
    assert not active[:45].any()
    assert active[52:98].mean() > 0.5
    assert not active[105:].any()


def test_quantising_rounds_and_never_truncates():
    assert quantise(np.asarray([-1.0, -0.0059, 0.0039, 0.0041, 5.0], np.float32), 1 / 127, 0).tolist() == [-127, -1, 0, 1, 127]


@pytest.mark.parametrize("chunk_ms", [7, 200])
def test_chunking_of_the_stream_does_not_reach_the_features(tmp_path, chunk_ms):
    write(tmp_path / "a.wav", speech(), 16_000)
    whole = np.concatenate([frame.pcm[0] for frame in frames(blocks(tmp_path / "a.wav", chunk_ms=chunk_ms))])
    assert np.array_equal(windows(spectrogram(whole[: len(speech())])).features, windows(spectrogram(speech())).features)


def test_levels_and_clipping():
    assert level_dbfs(tone(1000, 32767)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.zeros(100, np.int16)) == level_dbfs(np.zeros(0, np.int16)) == -120.0
    assert clipping_share(np.asarray([0, 32767, -32768, 100], np.int16)) == 0.5


def test_pauses_do_not_make_speech_softer_and_a_gain_is_heard_in_full():
    spoken = tone(400, 8000)
    paused = np.concatenate([spoken, np.zeros(len(spoken) // 2, np.int16)])
    assert speech_dbfs(paused) == pytest.approx(speech_dbfs(spoken), abs=0.1)
    assert speech_dbfs(spoken) - speech_dbfs(tone(400, 2000)) == pytest.approx(12.04, abs=0.05)
    assert speech_dbfs(np.zeros(800, np.int16)) == pytest.approx(-90.3, abs=0.1)


# ITU-T G.711: the largest values, the smallest steps, and symmetric signs.
def test_g711_laws_give_the_standards_values():
    values = np.asarray([0, 100, 1000, 32767, -32768], np.int16)
    assert mulaw(values).tolist() == [0, 104, 988, 32124, -32124]
    assert alaw(values).tolist() == [8, 104, 1008, 32256, -32256]


@pytest.mark.parametrize("law", [mulaw, alaw])
def test_g711_is_idempotent_and_keeps_order(law):
    every = np.arange(-32768, 32768).astype(np.int16)
    assert np.array_equal(law(law(every)), law(every))
    assert (np.diff(law(every).astype(np.int32)) >= 0).all()


def test_the_telephone_band_passes_speech_and_stops_the_rest():
    def through(hz):
        return level_dbfs(band_limit(tone(hz))[2000:-2000]) - level_dbfs(tone(hz))

    assert through(1000) == pytest.approx(0, abs=0.1)
    assert through(100) < -40
    assert through(4000) < -40


def buzz(hz, level=6000):
    """Harmonics of `hz` within the telephone band only: no fundamental."""
    at = np.arange(16_000) / 16_000
    harmonics = [n * hz for n in range(1, 60) if 300 < n * hz < 3400]
    return np.rint(level / len(harmonics) * sum(np.sin(2 * np.pi * f * at + f) for f in harmonics)).astype(np.int16)


@pytest.mark.parametrize("hz", [90, 140, 220, 380])
def test_a_pitch_whose_fundamental_the_line_cuts_off_is_still_seen(hz):
    rows = np.geomspace(SPEC.pitch_low_hz, SPEC.pitch_high_hz, SPEC.bands)
    seen = rows[spectrogram(buzz(hz))[10:-10, :, PITCH].argmax(axis=1)]
    # Rows lie 4.7 % apart.
    assert seen == pytest.approx(np.full(len(seen), hz), rel=0.03)


def test_noise_has_no_pitch_and_silence_none_at_all():
    noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16)
    assert spectrogram(noise)[..., PITCH].max() < 0.5 * spectrogram(buzz(140))[10:-10, :, PITCH].max()
    assert not spectrogram(np.zeros(16_000, np.int16))[..., PITCH].any()
