"""Sources as they are lived with: real children, real PortAudio over PulseAudio, stopped, killed, gone and back."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from edge.capture import wavfile
from edge.capture.devices import find, listing
from edge.capture.source import open_source
from edge.config import SourceConfig
from edge.errors import SourceError
from tests.pulse import PulseAudio
from tests.real.capture.listening import Listener


def tone(path: Path, hertz=(440, 1000), seconds=30, rate=48_000) -> Path:
    t = np.arange(rate * seconds)[:, None] / rate
    wavfile.write(path, np.rint(8000 * np.sin(2 * np.pi * np.array(hertz) * t)).astype(np.int16), rate)
    return path


def pitch(pcm: np.ndarray, rate: int) -> int:
    return round(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))).argmax() * rate / len(pcm))


@pytest.fixture
def phone(tmp_path, monkeypatch):
    """A PulseAudio whose `phone` plays 440 Hz left and 1000 Hz right, and is what programs record from."""
    with PulseAudio.start(tmp_path) as pulse:
        for name, value in pulse.env.items():
            monkeypatch.setenv(name, value)
        player = pulse.play(tone(tmp_path / "tone.wav", seconds=60), latency_ms=200)
        yield pulse
        player.kill()
        player.wait()


def test_a_device_is_heard_with_its_channels_in_order(phone):
    with Listener(SourceConfig(device="auto"), 2) as line:
        line.until(lambda: line.heard() > 3 * 48_000)
        rate = line.blocks[-1].rate
    pcm = np.concatenate([block.pcm for block in line.blocks])[-rate:]
    assert pcm.shape[1] == 2
    assert abs(pitch(pcm[:, 0], rate) - 440) <= 2
    assert abs(pitch(pcm[:, 1], rate) - 1000) <= 2
    assert [state for state, _ in line.states] == ["up", "stopped"]
    assert sum(block.lost for block in line.blocks) == 0


def test_a_device_is_opened_at_the_configured_rate_and_channel_count(phone):
    with Listener(SourceConfig(device="name:default", rate=16_000), 1) as line:
        line.until(lambda: line.heard() > 16_000)
    assert {(block.rate, block.pcm.shape[1]) for block in line.blocks} == {(16_000, 1)}


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_stopped_or_killed_child_is_told_within_5_s_and_heard_again_within_10_s(phone, how):
    with Listener(SourceConfig(device="auto"), 2) as line:
        line.until(lambda: line.heard() > 48_000)
        hurt = time.monotonic()
        os.kill(line.source.child_pid, how)
        line.until(lambda: "stalled" in dict(line.states))
        assert line.became("stalled") - hurt < 5
        line.until(lambda: line.states[-1][0] == "up")
        assert line.became("up") - hurt < 10
        rate = line.blocks[-1].rate
        line.until(lambda: sum(not block.lost for block in line.blocks[-20:]) == 20)
        ended = time.monotonic()
    clock_s = sum(len(block.pcm) + block.lost for block in line.blocks) / rate
    real_s = ended - line.states[0][1]
    # The line's clock went on through the hole; PulseAudio keeps up to some tenths of a second back at each end.
    assert abs(clock_s - real_s) < 0.6


def test_a_device_that_goes_and_comes_back_with_another_index_is_heard_again(tmp_path, monkeypatch):
    wav = tone(tmp_path / "tone.wav")
    with PulseAudio.start(tmp_path, pcms=("line",)) as first:
        for name, value in first.env.items():
            monkeypatch.setenv(name, value)
        before = find("name:line", listing(), 2)
        line = Listener(SourceConfig(device="name:line", stall_s=1), 2)
        with line:
            line.until(lambda: line.heard() > 10_000)
            first.process.terminate()
            first.process.wait(10)
            line.until(lambda: line.states[-1][0] in ("absent", "stalled"))
            assert line.source.problem
            with PulseAudio.start(tmp_path, pcms=("another", "line")) as second:
                player = second.play(wav)
                assert find("name:line", listing(), 2).index != before.index
                line.until(lambda: line.states[-1][0] == "up")
                line.until(lambda: any(block.pcm.any() for block in line.blocks[-5:]))
                player.kill()
                player.wait()


def test_an_unknown_device_is_absent_and_says_what_there_is(phone):
    with Listener(SourceConfig(device="serial:4F2A81"), 2) as line:
        line.until(lambda: line.states != [])
        assert line.states[0][0] == "absent"
        assert "serial:4F2A81" in str(line.source.problem)
        assert "name:default" in str(line.source.problem)


def test_a_recording_is_a_source_that_ends(tmp_path):
    pcm = np.random.default_rng(1).integers(-9000, 9000, (8000, 2), dtype=np.int16)
    wavfile.write(tmp_path / "call.wav", pcm, 8000)
    with Listener(SourceConfig(file=str(tmp_path / "call.wav"), realtime=False), 2) as line:
        line.until(lambda: line.source.state == "ended")
    assert np.array_equal(np.concatenate([block.pcm for block in line.blocks]), pcm)
    assert [state for state, _ in line.states] == ["up", "ended"]


def test_a_recording_at_speed_takes_as_long_as_it_is(tmp_path):
    wavfile.write(tmp_path / "call.wav", np.ones(8000, np.int16), 8000)
    with Listener(SourceConfig(file=str(tmp_path / "call.wav")), 1) as line:
        line.until(lambda: line.source.state == "ended")
    assert 0.9 < line.became("ended") - line.became("up") < 2


def test_a_cut_recording_says_so_on_stderr_through_its_child(tmp_path, capsys):
    wavfile.write(tmp_path / "cut.wav", np.ones(80_000, np.int16), 8000)
    os.truncate(tmp_path / "cut.wav", 80_044)
    with Listener(SourceConfig(file=str(tmp_path / "cut.wav"), realtime=False), 1) as line:
        line.until(lambda: line.source.state == "ended")
    assert line.heard() == 40_000
    assert "cut short: 5.0 s missing" in capsys.readouterr().err


def test_a_recording_whose_child_dies_is_an_error_not_an_end(tmp_path):
    wavfile.write(tmp_path / "call.wav", np.ones(80_000, np.int16), 8000)
    with Listener(SourceConfig(file=str(tmp_path / "call.wav")), 1) as line:
        line.until(lambda: line.heard() > 1000)
        os.kill(line.source.child_pid, signal.SIGKILL)
        line.until(lambda: line.error is not None)
    assert "signal 9" in str(line.error)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (SourceConfig(file="none.wav"), "none.wav: no such file"),
        (SourceConfig(command=("no-such-program", "-x")), "command 'no-such-program': not found"),
    ],
)
def test_what_can_never_be_heard_is_refused_at_once_in_one_line(config, says):
    with pytest.raises(SourceError) as refused:
        open_source(config, 1, lambda _state: None)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mono_recording_for_a_two_channel_line_is_refused_at_once(tmp_path):
    wavfile.write(tmp_path / "mono.wav", np.ones(100, np.int16), 8000)
    with pytest.raises(SourceError, match=r"has 1 channel\(s\), the line has 2; set channels"):
        open_source(SourceConfig(file=str(tmp_path / "mono.wav")), 2, lambda _state: None)
