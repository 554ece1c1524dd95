"""Commands as sources: they die, fall silent, and start anew; nothing is left of them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.capture import process
from edge.capture.source import open_source
from edge.config import SourceConfig
from edge.errors import Problem
from edge.signal.resample import frames
from tests.real.capture.listening import Listener


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
