"""What a box writes to its disk: an SD card bears some terabytes, and then the box is dead. Counted by the kernel (/proc/PID/io)."""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from edge.capture import wavfile
from edge.files.memory import in_memory
from edge.service.spoken_call import spoken_call
from edge.values import SAMPLE_RATE, Role
from tests.bench.row import Row
from tests.bench.turns import ROOT
from tests.broker import Broker

# What every start writes is over when the outbox, into which the self-test went, has been cleared of its traces: a minute later.
_SETTLED_S, _IDLE_S, _CALLS = 75.0, 240.0, 3
_CHANNELS = (Role.CUSTOMER, Role.AGENT)


def _sound(calls: int, seconds: float) -> np.ndarray:
    """int16 (samples, 2): a quiet line for so long, then calls one after the other, half a minute of quiet behind each."""
    quiet = np.random.default_rng(24).normal(0, 60, (round(SAMPLE_RATE * seconds), 2)).astype(np.int16)
    call = np.concatenate([spoken_call(_CHANNELS).T, quiet[: 30 * SAMPLE_RATE]])
    return np.concatenate([quiet, *[call] * calls])


def _written(process: "subprocess.Popen[bytes]") -> int:
    """Bytes that it has had the file systems below it write; what is in memory (tmpfs) does not count."""
    return int(re.search(r"(?m)^write_bytes: (\d+)", Path(f"/proc/{process.pid}/io").read_text())[1])


def _megabytes_an_hour(folder: Path, url: str, sound: np.ndarray) -> tuple[float, float]:
    """What a box that hears `sound` at its own pace writes, once it has settled; and for how many seconds that was watched."""
    folder.mkdir(parents=True)
    wavfile.write(folder / "line.wav", sound, SAMPLE_RATE)
    line = {"name": "line-1", "source": {"file": "line.wav"}, "channels": list(_CHANNELS)}
    config = {"site": "bench", "device": "wear", "lines": [line], "mqtt": {"url": url}, "state_dir": "state"}
    (folder / "undertone.yaml").write_text(json.dumps(config))
    command = [sys.executable, "-m", "edge", "run", "--config", str(folder / "undertone.yaml")]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, stderr=out, cwd=ROOT) as process:
        try:
            while b"selftest.passed" not in log.read_bytes():
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            time.sleep(_SETTLED_S)
            began, before = time.monotonic(), _written(process)
            # Well before its end, which the service would not outlive: the self-test took its time, too.
            time.sleep(len(sound) / SAMPLE_RATE - _SETTLED_S - 25)
            watched_s = time.monotonic() - began
            return (_written(process) - before) / 1e6 * 3600 / watched_s, watched_s
        finally:
            process.send_signal(signal.SIGTERM)


def wear(runs: int) -> list[Row]:
    """Three boxes at a time: one on a quiet line, one whose callers call one after the other, and the same without a broker."""
    idle, calls = (_sound(0, _SETTLED_S + 30.0 if runs < 2 else _IDLE_S), _sound(1 if runs < 2 else _CALLS, _SETTLED_S))
    # Below the checkout, because the system's folder for temporary files may be in memory.
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name, Broker(Path(name)) as broker, ThreadPoolExecutor(3) as beside:
        folder = Path(name)
        assert not in_memory(folder), "this checkout lies in memory: nothing here would be written to a disk"
        cases = {"idle": (broker.url, idle), "calls": (broker.url, calls), "outage": ("mqtt://127.0.0.1:9", calls)}
        waiting = {case: beside.submit(_megabytes_an_hour, folder / case, *given) for case, given in cases.items()}
        found = {case: one.result() for case, one in waiting.items()}
    told = {case: f"over {seconds:.0f} s, as the kernel counts pages" for case, (_, seconds) in found.items()}
    return [
        Row(name="written to disk an hour, idle", figure=found["idle"][0], unit="MB", least=1.0, aim=0.1, detail=told["idle"]),
        Row(name="written to disk an hour, a call each 90 s", figure=found["calls"][0], unit="MB", detail=told["calls"]),
        Row(name="the same without a broker", figure=found["outage"][0], unit="MB", detail=told["outage"]),
    ]
