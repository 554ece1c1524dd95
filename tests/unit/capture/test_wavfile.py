"""Recordings as people have them: any width, rate, container and damage."""

import os
import time

import numpy as np
import pytest
import soundfile

from edge.capture import wavfile
from edge.errors import SourceError
from edge.signal.resample import frames


def sine(rate: int, seconds: float, channels: int = 1, peak: float = 0.5) -> np.ndarray:
    wave = peak * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    return np.repeat(wave[:, None], channels, axis=1)


def heard(path, **how) -> np.ndarray:
    return np.concatenate([block.pcm for block in wavfile.blocks(path, **how)])


@pytest.mark.parametrize(
    ("container", "subtype", "tolerance"),
    [
        ("WAV", "PCM_16", 1), ("WAV", "PCM_24", 1), ("WAV", "PCM_32", 1), ("WAV", "FLOAT", 1), ("WAV", "DOUBLE", 1),
        ("WAV", "PCM_U8", 260), ("WAV", "ULAW", 520), ("WAV", "ALAW", 520), ("FLAC", "PCM_16", 1), ("FLAC", "PCM_24", 1),
        ("AIFF", "PCM_16", 1), ("CAF", "PCM_16", 1), ("OGG", "OPUS", 1500), ("OGG", "VORBIS", 1500),
    ],
)  # fmt: skip
def test_every_container_named_wav_is_heard(tmp_path, container, subtype, tolerance):
    path, wave = tmp_path / "call.wav", sine(48_000, 0.5, 2)
    soundfile.write(path, wave, 48_000, format=container, subtype=subtype)
    pcm = heard(path)
    assert pcm.dtype == np.int16
    assert pcm.shape == wave.shape
    # The ends of lossy files ring.
    assert np.abs(pcm.astype(float) - wave * 32768)[2000:-2000].max() <= tolerance


def test_16_bit_sound_comes_through_bit_for_bit(tmp_path):
    pcm = np.random.default_rng(1).integers(-32768, 32768, (5000, 2), dtype=np.int16)
    wavfile.write(tmp_path / "a.wav", pcm, 8000)
    assert np.array_equal(heard(tmp_path / "a.wav", chunk_ms=7), pcm)


def test_96_khz_float_stereo_above_full_scale_and_not_a_number_is_clipped_not_wrapped(tmp_path):
    wave = np.array([[2.0, -2.0], [np.nan, np.inf], [1.0, -1.0], [0.25, -np.inf]], np.float32)
    soundfile.write(tmp_path / "f.wav", wave, 96_000, subtype="FLOAT")
    assert heard(tmp_path / "f.wav").tolist() == [[32767, -32768], [0, 32767], [32767, -32768], [8192, -32768]]


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 96_000])
@pytest.mark.parametrize("chunk_ms", [7, 200])
def test_the_whole_recording_comes_in_blocks_of_the_asked_length(tmp_path, rate, chunk_ms):
    wavfile.write(tmp_path / "a.wav", np.ones((rate, 2), np.int16), rate)
    got = list(wavfile.blocks(tmp_path / "a.wav", chunk_ms=chunk_ms))
    assert {len(block.pcm) for block in got[:-1]} == {round(rate * chunk_ms / 1000)}
    assert sum(len(block.pcm) for block in got) == rate
    assert {block.rate for block in got} == {rate}


def test_chunking_does_not_reach_the_frames(tmp_path):
    pcm = np.random.default_rng(2).integers(-9000, 9000, (8000, 2), dtype=np.int16)
    wavfile.write(tmp_path / "a.wav", pcm, 11_025)
    short = [frame.pcm for frame in frames(wavfile.blocks(tmp_path / "a.wav", chunk_ms=7))]
    long = [frame.pcm for frame in frames(wavfile.blocks(tmp_path / "a.wav", chunk_ms=200))]
    assert np.array_equal(np.concatenate(short, axis=1), np.concatenate(long, axis=1))


def test_realtime_takes_as_long_as_the_sound(tmp_path):
    wavfile.write(tmp_path / "a.wav", np.ones(4000, np.int16), 8000)
    began = time.monotonic()
    heard(tmp_path / "a.wav", realtime=True)
    assert 0.49 <= time.monotonic() - began < 1.0


@pytest.mark.parametrize("container", ["WAV", "AIFF", "FLAC", "W64", "RF64", "AU"])
def test_a_cut_file_plays_up_to_the_cut_and_says_how_much_is_missing(tmp_path, capsys, container):
    path = tmp_path / "cut.wav"
    wave = np.random.default_rng(3).normal(0, 0.1, 80_000)
    soundfile.write(path, wave, 8000, format=container, subtype="PCM_16")
    os.truncate(path, path.stat().st_size * 6 // 10)
    pcm = heard(path)
    assert 5.0 < len(pcm) / 8000 < 6.1
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert str(path) in warning
    missing = float(warning.split("cut short: ")[1].split(" s missing")[0])
    assert abs(missing + len(pcm) / 8000 - 10) < 0.1


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8])
def test_a_flac_file_that_is_damaged_within_plays_up_to_the_damage_and_says_so(tmp_path, capsys, share):
    path = tmp_path / "damaged.flac"
    wave = np.round(np.random.default_rng(3).normal(0, 3000, 80_000)).astype(np.int16)
    soundfile.write(path, wave, 8000)
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * share)] ^= 0x55
    path.write_bytes(raw)
    pcm = heard(path)
    # FLAC comes in blocks of half a second.
    assert 10 * share - 0.7 < len(pcm) / 8000 < 10 * share
    assert np.array_equal(pcm[:, 0], wave[: len(pcm)])
    assert "cut short" in capsys.readouterr().err


def test_a_whole_file_and_one_written_to_a_pipe_warn_of_nothing(tmp_path, capsys):
    whole, piped = tmp_path / "whole.wav", tmp_path / "piped.wav"
    wavfile.write(whole, np.ones(8000, np.int16), 8000)
    header = bytearray(whole.read_bytes())
    header[4:8] = header[40:44] = b"\xff\xff\xff\xff"
    piped.write_bytes(header)
    assert len(heard(whole)) == len(heard(piped)) == 8000
    assert capsys.readouterr().err == ""


def test_a_silent_file_is_sound(tmp_path):
    wavfile.write(tmp_path / "silent.wav", np.zeros((800, 2), np.int16), 8000)
    assert heard(tmp_path / "silent.wav").shape == (800, 2)


def _missing(folder):
    return folder / "none.wav", "no such file"


def _empty(folder):
    (folder / "empty.wav").touch()
    return folder / "empty.wav", "is empty"


def _header_only(folder):
    wavfile.write(folder / "header.wav", np.zeros(0, np.int16), 8000)
    return folder / "header.wav", "only a header"


def _text(folder):
    (folder / "text.wav").write_text("these are words\n" * 100)
    return folder / "text.wav", "not a recording"


def _folder(folder):
    return folder, "is a folder"


def _half_header(folder):
    (folder / "half.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfm")
    return folder / "half.wav", "not a recording"


@pytest.mark.parametrize("make", [_missing, _empty, _header_only, _text, _folder, _half_header])
def test_what_is_not_a_recording_is_refused_in_one_line_that_names_it(tmp_path, make):
    path, says = make(tmp_path)
    with pytest.raises(SourceError) as refused:
        heard(path)
    message = str(refused.value)
    assert says in message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_a_mono_file_for_a_two_channel_line_is_refused_by_naming_channels(tmp_path):
    wavfile.write(tmp_path / "mono.wav", np.ones(100, np.int16), 8000)
    with pytest.raises(SourceError, match=r"has 1 channel, the line's channels are 2; .*set channels"):
        heard(tmp_path / "mono.wav", channels=2)


def test_a_clip_of_two_channels_is_read_as_their_mean(tmp_path):
    wavfile.write(tmp_path / "a.wav", np.array([[100, 300], [-5, -7]], np.int16), 8000)
    pcm, rate = wavfile.read_clip(tmp_path / "a.wav")
    assert (pcm.tolist(), rate, pcm.dtype.name) == ([200, -6], 8000, "int16")


def test_channels_are_counted_without_reading_the_sound(tmp_path):
    wavfile.write(tmp_path / "a.wav", np.ones((123, 2), np.int16), 44_100)
    assert wavfile.channel_count(tmp_path / "a.wav") == 2
