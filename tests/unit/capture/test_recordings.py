"""The recordings of the world: chained, with sizes that were never filled in, through pipes, with rates that nobody records at."""

import io
import os
import struct
import threading

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.capture import wavfile
from edge.capture.container import stretches
from edge.capture.recording import Piped, recording
from edge.errors import InputError, SourceError


def noise(seconds: float, rate: int = 8000, channels: int = 1, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, (round(seconds * rate), channels), dtype=np.int16)


def encoded(pcm: np.ndarray, rate: int, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format=container, subtype=subtype)
    return file.getvalue()


def heard(source, **how) -> np.ndarray:
    return np.concatenate([block.pcm for block in wavfile.blocks(source, **how)])


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("OGG", "OPUS"), ("OGG", "VORBIS"), ("FLAC", "PCM_16"), ("WAV", "PCM_16"), ("WAV", "ULAW"), ("AIFF", "PCM_16"), ("WAV", "GSM610")],
)
@pytest.mark.parametrize("count", [2, 3])
def test_streams_behind_one_another_are_heard_to_the_last(tmp_path, capsys, container, subtype, count):
    parts = [encoded(noise(1.5, seed=seed), 8000, container, subtype) for seed in range(count)]
    (tmp_path / "chained").write_bytes(b"".join(parts))
    alone = []
    for part in parts:
        (tmp_path / "one").write_bytes(part)
        alone.append(heard(tmp_path / "one"))
    assert np.array_equal(heard(tmp_path / "chained"), np.concatenate(alone))
    assert capsys.readouterr().err == ""


def test_a_stream_that_cannot_follow_is_told_in_one_line(tmp_path, capsys):
    first, stereo = (encoded(noise(1, channels=n), 8000, "OGG", "VORBIS") for n in (1, 2))
    (tmp_path / "chained.ogg").write_bytes(first + stereo)
    assert len(heard(tmp_path / "chained.ogg")) == 8000
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "1 and 2 channels: 1.0 s are left out" in said
    (tmp_path / "broken.ogg").write_bytes(first + stereo[:40])
    assert len(heard(tmp_path / "broken.ogg")) == 8000
    assert "cannot be heard" in capsys.readouterr().err


_TAGS = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


@pytest.mark.parametrize("size", [0, 2, 4000, 0x7FFF_F000, 0x7FFF_F024, 0xFFFF_FFFF, 0x8000_0000], ids=hex)
@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_header_that_says_too_little_or_nothing_hides_no_sound(tmp_path, capsys, size, container, channels):
    pcm = noise(2, channels=channels)
    data = bytearray(encoded(pcm, 8000, container, "PCM_16"))
    where, order = {"WAV": (data.find(b"data") + 4, "<I"), "AIFF": (data.find(b"SSND") + 4, ">I"), "AU": (8, ">I")}[container]
    data[where : where + 4] = struct.pack(order, size)
    (tmp_path / "call.wav").write_bytes(data)
    got = heard(tmp_path / "call.wav")
    assert np.array_equal(got[: len(pcm)], pcm)
    assert len(got) == len(pcm)
    assert capsys.readouterr().err == ""


@given(st.integers(0, 16000).map(lambda samples: samples * 2), st.booleans(), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_whatever_a_wav_header_says_no_sound_before_its_tags_is_lost(size, tagged, odd):
    pcm = noise(1, rate=16_000)
    data = bytearray(encoded(pcm, 16_000, "WAV", "PCM_16"))
    honest = size == len(pcm) * 2
    data[40:44] = struct.pack("<I", size)
    source = Piped(name="drawn", data=bytes(data) + (_TAGS if tagged and honest else b"") + b"\0" * odd)
    assert np.array_equal(heard(source)[: len(pcm)], pcm)


def test_tags_behind_the_sound_are_no_sound(tmp_path):
    pcm = noise(1)
    (tmp_path / "tagged.wav").write_bytes(encoded(pcm, 8000, "WAV", "PCM_16") + _TAGS)
    assert np.array_equal(heard(tmp_path / "tagged.wav"), pcm)


@given(st.binary(max_size=400), st.sampled_from([b"OggS\0\x02", b"fLaC", b"RIFF", b"FORM", b".snd", b""]))
def test_any_bytes_are_cut_into_stretches_that_cover_them(tail, head):
    data = head + tail
    found = stretches(data)
    assert [one.start for one in found] == [0, *(one.end for one in found[:-1])]
    assert found[-1].end == len(data)


@pytest.mark.parametrize("rate", [1, 100, 3999, 400_000, 2**31 - 1])
def test_a_rate_that_nobody_records_at_is_refused_before_it_fills_memory(tmp_path, rate):
    data = bytearray(encoded(noise(0.1), 8000, "WAV", "PCM_16"))
    data[24:28] = struct.pack("<I", rate)
    (tmp_path / "odd.wav").write_bytes(data)
    with pytest.raises(SourceError, match=rf"its header says {rate:,} samples a second") as refused:
        heard(tmp_path / "odd.wav")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("OGG", "OPUS"), ("FLAC", "PCM_16"), ("AIFF", "PCM_24")])
def test_a_fifo_is_heard_like_the_file_and_may_be_opened_again(tmp_path, container, subtype):
    data = encoded(noise(1, channels=2), 8000, container, subtype)
    (tmp_path / "file").write_bytes(data)
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_bytes, args=(data,))
    writer.start()
    source = recording(tmp_path / "fifo")
    writer.join()
    assert wavfile.channel_count(source) == 2
    assert np.array_equal(heard(source), heard(tmp_path / "file"))
    assert np.array_equal(heard(source), heard(tmp_path / "file"))


@pytest.mark.parametrize("data", [b"", b"no sound at all, but words " * 9], ids=["nothing", "text"])
def test_a_pipe_that_brings_no_recording_is_refused_by_name(data):
    with pytest.raises(SourceError, match=r"^/dev/stdin: "):
        heard(Piped(name="/dev/stdin", data=data))


@pytest.mark.parametrize(("pick", "columns"), [((1, 2), [0, 1]), ((4, 1), [3, 0]), ((3,), [2])])
def test_channels_are_picked_in_the_given_order(tmp_path, pick, columns):
    pcm = noise(0.5, channels=4)
    wavfile.write(tmp_path / "four.wav", pcm, 8000)
    assert np.array_equal(heard(tmp_path / "four.wav", channels=len(pick), pick=pick), pcm[:, columns])
    with pytest.raises(SourceError, match=r"has 4 channels.*--pick 1,2"):
        heard(tmp_path / "four.wav", channels=2)
    with pytest.raises(SourceError, match="no channel 5"):
        heard(tmp_path / "four.wav", pick=(5,))


def test_a_clip_longer_than_an_utterance_is_refused_before_it_is_in_memory(tmp_path):
    wavfile.write(tmp_path / "long.wav", noise(130), 8000)
    with pytest.raises(SourceError, match=r"longer than 2 minutes.*undertone replay"):
        wavfile.read_clip(tmp_path / "long.wav", longest_s=120)


def test_a_regular_file_is_left_to_the_reader_and_what_cannot_be_read_is_no_recording(tmp_path):
    (tmp_path / "call.wav").touch()
    assert recording(tmp_path / "call.wav") == tmp_path / "call.wav"
    for path, fault in ((tmp_path, "a folder"), (tmp_path / "nowhere.wav", "no such file")):
        with pytest.raises(InputError, match=f"{path.name}: {fault}; "):
            recording(path)


def test_a_pipe_that_brings_nothing_is_told_as_one(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_bytes, args=(b"",))
    writer.start()
    with pytest.raises(SourceError, match="fifo: nothing came through the pipe; see what the command before the pipe says"):
        recording(tmp_path / "fifo")
    writer.join()
