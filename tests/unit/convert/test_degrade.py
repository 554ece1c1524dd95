"""What the telephone does to speech: each disturbance does what it says, and the same seed does the same."""

import numpy as np
import pytest

from convert.sound import degrade
from edge.bundle.golden import Recipe
from edge.signal.pcm import clipping_share, level_dbfs, speech_rms


@pytest.fixture
def pcm():
    return Recipe(seed=3, seconds=2.0, pitch_hz=160).pcm()


def rng(seed=1):
    return np.random.default_rng(seed)


def test_the_same_seed_gives_the_same_call(pcm):
    assert np.array_equal(degrade.telephone_call(pcm, [pcm[::-1]], rng()), degrade.telephone_call(pcm, [pcm[::-1]], rng()))
    assert not np.array_equal(degrade.telephone_call(pcm, [], rng(1))[:1000], degrade.telephone_call(pcm, [], rng(2))[:1000])


def test_every_random_call_is_sound_of_about_its_length(pcm):
    for seed in range(40):
        call = degrade.telephone_call(pcm, [pcm[::-1]], rng(seed))
        assert call.dtype == np.int16
        assert 0.8 * len(pcm) < len(call) < 2 * len(pcm)
        assert call.any()


def test_g711_keeps_length_and_takes_away_what_is_above_the_band(pcm):
    spectrum = np.abs(np.fft.rfft(degrade.g711(pcm).astype(float)))
    assert len(degrade.g711(pcm)) == len(pcm)
    assert spectrum[12_000:].max() < 0.01 * spectrum.max()


@pytest.mark.parametrize("snr_db", [20, 10, 5])
def test_noise_is_as_far_below_the_speech_as_asked(pcm, snr_db):
    noise = degrade.with_noise(pcm, degrade.coloured_noise(len(pcm), 0, rng()), snr_db).astype(float) - pcm
    speech = speech_rms(degrade.band_limit(pcm))
    assert 20 * np.log10(speech / np.sqrt(np.mean(noise**2))) == pytest.approx(snr_db, abs=0.5)


def test_level_sets_the_loud_frames(pcm):
    assert speech_rms(degrade.at_level(pcm, -30)) == pytest.approx(32768 * 10 ** (-30 / 20), rel=0.01)


def test_clipping_cuts_about_the_share_asked(pcm):
    cut = degrade.clipped(pcm, 0.05)
    assert np.mean(np.abs(cut) == np.abs(cut).max()) == pytest.approx(0.05, abs=0.01)
    assert clipping_share(cut) < 0.06


def test_lost_packets_are_concealed_by_what_came_before(pcm):
    lost = degrade.packet_loss(pcm, 0.2, rng())
    changed = (lost != pcm)[: len(pcm) // 320 * 320].reshape(-1, 320).any(axis=1)
    assert 0.05 < changed.mean() < 0.35
    assert not (lost.reshape(-1, 320) == 0).all(axis=1).any()


def test_a_mobile_call_keeps_length_and_band_and_is_no_g711_call(pcm):
    mobile = degrade.mobile(pcm)
    spectrum = np.abs(np.fft.rfft(mobile.astype(float)))
    assert len(mobile) == len(pcm)
    assert spectrum[12_000:].max() < 0.02 * spectrum.max()
    assert not np.array_equal(mobile, degrade.g711(pcm))


def test_a_street_is_behind_some_calls(pcm):
    street = degrade.coloured_noise(16_000, 1, rng(9))
    differ = [
        not np.array_equal(degrade.telephone_call(pcm, [], rng(seed), street), degrade.telephone_call(pcm, [], rng(seed)))
        for seed in range(30)
    ]
    assert 5 < sum(differ) < 30


def test_tempo_and_padding_change_the_length(pcm):
    assert len(degrade.faster(pcm, 1.25)) == pytest.approx(len(pcm) / 1.25, abs=2)
    assert len(degrade.padded(pcm, 0.3, 0.5, rng())) == len(pcm) + 12_800


def test_room_and_handset_keep_the_length_and_about_the_level(pcm):
    for changed in (degrade.room(pcm, 0.3, 0.4, rng()), degrade.handset(pcm, rng())):
        assert len(changed) == pytest.approx(len(pcm), abs=256)
        assert abs(level_dbfs(changed) - level_dbfs(pcm)) < 9


def test_babble_is_several_voices_at_once(pcm):
    assert len(degrade.babble([pcm, pcm[::-1]], 50_000)) == 50_000
