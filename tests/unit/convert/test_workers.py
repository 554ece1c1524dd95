"""Workers end with their command, whatever ended it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

# A command with two workers that are busy, which names them.
_COMMAND = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from convert.workers import begin_worker
with ProcessPoolExecutor(2, initializer=begin_worker) as pool:
    waiting = [pool.submit(time.sleep, 300) for _ in range(2)]
    print(*pool._processes, flush=True)
    time.sleep(300)
"""


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_command(number):
    with subprocess.Popen([sys.executable, "-c", _COMMAND], stdout=subprocess.PIPE, text=True) as command:
        workers = [int(pid) for pid in command.stdout.readline().split()]
        command.send_signal(number)
    assert len(workers) == 2
    due = time.monotonic() + 10
    while any(map(_runs, workers)) and time.monotonic() < due:
        time.sleep(0.05)
    left = [pid for pid in workers if _runs(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
