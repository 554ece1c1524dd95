"""Sources as they are lived with: real children, real PortAudio over PulseAudio, stopped, killed, gone and back."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.capture import process, wavfile
from edge.capture.devices import find, listing
from edge.capture.source import open_source
from edge.config import SourceConfig
from edge.errors import Problem, SourceError
from edge.signal.resample import frames
from tests.pulse import PulseAudio


class Listener:
    """Takes a source's blocks in a thread of its own, as a line does, and remembers what came when."""

    def __init__(self, config: SourceConfig, channels: int) -> None:
        self.states: list[tuple[str, float]] = []
        self.blocks = []
        self.error = None
        self.source = open_source(config, channels, lambda state: self.states.append((state, time.monotonic())))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for block in self.source.blocks():
                self.blocks.append(block)
        except SourceError as error:
            self.error = error

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that is to come about; the test fails where it does not."""
        give_up = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < give_up, f"in vain for {seconds} s; states: {self.states}, reason: {self.source.problem}"
            time.sleep(0.01)

    def became(self, state: str) -> float:
        """When it last became `state`."""
        return next(when for was, when in reversed(self.states) if was == state)

    def heard(self) -> int:
        return sum(len(block.pcm) for block in self.blocks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.source.close()
        self._thread.join(5)
        assert not self._thread.is_alive()


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


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


TICKS = "import sys,time\nwhile True: sys.stdout.buffer.write(b'\\1\\0' * 320); sys.stdout.flush(); time.sleep(0.02)"


def test_a_command_is_heard_as_raw_sound():
    with Listener(SourceConfig(command=python(TICKS), rate=8000), 1) as line:
        line.until(lambda: line.heard() > 3200)
    assert {(block.rate, int(block.pcm.max())) for block in line.blocks if len(block.pcm)} == {(8000, 1)}


def test_a_command_that_dies_is_started_again_and_its_last_words_are_kept():
    code = "import sys; sys.stdout.buffer.write(b'\\1\\0'*800); sys.stdout.flush(); sys.exit('the trunk hung up')"
    with Listener(SourceConfig(command=python(code)), 1) as line:
        line.until(lambda: [state for state, _ in line.states].count("up") >= 2)
        line.until(lambda: line.source.problem == Problem(what="the trunk hung up"))
    assert sum(block.lost for block in line.blocks) > 0


def test_what_has_worked_for_a_while_is_started_again_at_once_when_it_dies(monkeypatch):
    monkeypatch.setattr(process, "_STEADY_S", 0.0)
    monkeypatch.setattr(process, "_RETRY_FIRST_S", 1e6)
    monkeypatch.setattr(process, "_RETRY_CAP_S", 1e6)
    code = "import sys; sys.stdout.buffer.write(b'\\1\\0' * 800)"
    with Listener(SourceConfig(command=python(code)), 1) as line:
        line.until(lambda: [state for state, _ in line.states].count("up") >= 3)


def test_a_capture_child_starts_without_numpy_so_that_a_line_is_deaf_for_as_short_as_can_be():
    code = "import sys, edge.capture.child; print(sorted({'numpy', 'soundfile', 'msgspec'} & set(sys.modules)))"
    assert subprocess.run(python(code), capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_command_that_falls_silent_is_killed_with_all_that_it_started(tmp_path):
    told = tmp_path / "pid"
    shell = f"sleep 300 & echo $! > {told}; printf 'aabb'; wait"
    with Listener(SourceConfig(command=("sh", "-c", shell), stall_s=0.3), 1) as line:
        line.until(lambda: "stalled" in dict(line.states))
        grandchild = int(told.read_text())
        line.until(lambda: not Path(f"/proc/{grandchild}/cmdline").exists() or not Path(f"/proc/{grandchild}/cmdline").read_bytes())
        assert line.source.problem.what.startswith(("no sound for 0.3 s", "the capture program ended"))


def test_a_slow_line_is_no_stall_of_the_source():
    states = []
    source = open_source(SourceConfig(command=python(TICKS), stall_s=0.5), 1, states.append)
    blocks = source.blocks()
    next(blocks)
    time.sleep(1.5)
    for _ in range(20):
        next(blocks)
    source.close()
    assert list(blocks)[20:] == []
    assert states == ["up", "stopped"]


def test_time_without_sound_advances_the_line_clock_while_it_lasts():
    code = "import sys,time; sys.stdout.buffer.write(b'\\1\\0'*1600); sys.stdout.flush(); time.sleep(60)"
    with Listener(SourceConfig(command=python(code), stall_s=0.5), 1) as line:
        line.until(lambda: sum(block.lost for block in line.blocks) > 16_000 * 1.5)
        lost = sum(block.lost for block in line.blocks)
    got = list(frames(line.blocks))
    assert sum(frame.lost for frame in got) >= lost // 320 - 1
    assert [frame.start for frame in got] == list(range(0, 320 * len(got), 320))


def test_close_ends_a_source_within_a_second_even_while_it_waits_to_try_again():
    with Listener(SourceConfig(command=python("raise SystemExit(1)")), 1) as line:
        line.until(lambda: line.states != [])
        began = time.monotonic()
        line.source.close()
        line.until(lambda: line.states[-1][0] == "stopped")
        assert time.monotonic() - began < 1


def test_no_child_outlives_its_source():
    with Listener(SourceConfig(command=python(TICKS)), 1) as line:
        line.until(lambda: line.heard() > 320)
        pid = line.source.child_pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


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


# In a process of its own: what other cases opened in this one, and let go of meanwhile, is not the source's.
RESTARTS = """
import json, os, sys, threading
from pathlib import Path
from edge.capture import process
from edge.capture.source import open_source
from edge.config import SourceConfig

process._RETRY_CAP_S = 0.01
held = []

def count():
    children = [child for task in Path("/proc/self/task").iterdir() for child in (task / "children").read_text().split()]
    return len(os.listdir("/proc/self/fd")), threading.active_count(), len(children)

code = "import sys; sys.stdout.buffer.write(bytes([1, 0]) * 80)"
source = open_source(
    SourceConfig(command=(sys.executable, "-c", code)), 1, lambda state: held.append(count()) if state == "up" else None
)
for _ in source.blocks():
    if len(held) == 30:
        source.close()
print(json.dumps({"held": held, "after": count(), "pid": source.child_pid}))
"""


def test_many_restarts_leak_no_descriptor_no_child_and_no_thread():
    told = json.loads(subprocess.run(python(RESTARTS), capture_output=True, text=True, check=True).stdout)
    # Each time that a child is heard there is that one, with its two pipes.
    assert {tuple(count) for count in told["held"]} == {tuple(told["held"][0])}
    files, threads, children = told["held"][0]
    assert (threads, children) == (1, 1)
    assert (told["after"], told["pid"]) == ([files - 2, 1, 0], None)


def test_a_grandchild_that_keeps_stderr_open_holds_nobody_up():
    with Listener(SourceConfig(command=("sh", "-c", "sleep 300 >/dev/null & exit 7")), 1) as line:
        line.until(lambda: line.source.problem is not None, seconds=5)
        assert line.source.problem == Problem(what="the capture program ended with exit code 7")
