"""`undertone run` measured from outside: recordings as lines at real time, a real mosquitto, a real subscriber."""

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt

from edge.capture import wavfile
from edge.service.spoken_call import spoken_call
from edge.values import SAMPLE_RATE, Role
from tests.bench.row import Row
from tests.bench.turns import ROOT
from tests.broker import Broker

# Our endpointer's hangover, which `end_ms` of an utterance holds and its speech does not.
_HANGOVER_MS = 500
# What the issue asks of a verdict, and with how many lines it is tried.
_PROMPT_S = 0.9
_COUNTS = (1, 2, 4, 8, 14)
# The lines are silent before and after their calls: what a box does while it starts has a row of its own, and a recording that
# ends in the middle of a word has no end of speech. Calls begin a second apart: a new recogniser costs 0.8 s of a core more over its
# first words than later, and eight that begin in one moment are up to 4 s late with the first verdicts (measured).
_BEFORE_S, _APART_S, _AFTER_S = 6, 1, 2


def _configuration(folder: Path, lines: int, port: int) -> Path:
    """A box with `lines` two-channel lines at real time, each at another point of the call, as calls are."""
    folder.mkdir(parents=True, exist_ok=True)
    call = spoken_call((Role.CUSTOMER, Role.AGENT)).T
    for n in range(lines):
        silence_s = np.array([_BEFORE_S + _APART_S * n, _AFTER_S])
        heard = np.pad(np.roll(call, -len(call) * n // lines, axis=0), (silence_s * SAMPLE_RATE, (0, 0)))
        # At 16 kHz, as a sound card gives it: from 8 kHz the resampler's own 0.1 s would come on top.
        wavfile.write(folder / f"{n}.wav", heard, SAMPLE_RATE)
    config = {
        "site": "bench",
        "device": f"box-{lines}",
        "lines": [
            {"name": f"line-{n + 1}", "source": {"file": f"{n}.wav", "realtime": True}, "channels": ["customer", "agent"]}
            for n in range(lines)
        ],
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}"},
        "state_dir": "state",
    }
    path = folder / "undertone.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


class Subscriber:
    """A real MQTT client that notes when each event arrived."""

    def __init__(self, port: int) -> None:
        self.arrived: list[tuple[float, dict[str, Any]]] = []
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("undertone/v1/#", 1)
        self._client.on_message = lambda _c, _u, message: self.arrived.append((time.time(), json.loads(message.payload)))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def lags_s(self, kind: str) -> list[float]:
        """Seconds from the end of speech to arrival here, for customer utterances or for alerts.

        What ended before the line knew that it was a call (by two seconds of voice) waits for that and is left out.
        """
        calls = {
            e["data"]["call"]: (datetime.fromisoformat(e["data"]["started_at"]).timestamp(), at)
            for at, e in self.arrived
            if e["type"] == "undertone.call.started.v1"
        }
        lags = []
        for at, event in self.arrived:
            data = event["data"]
            if event["type"] != kind or data.get("call") not in calls:
                continue
            if kind.startswith("undertone.alert") and (data["state"] != "new" or not data["reasons"][0]["evidence"]):
                continue
            end_ms = data["reasons"][0]["evidence"][-1]["end_ms"] if "reasons" in data else data["end_ms"]
            if data.get("role") == "agent":
                continue
            began, known = calls[data["call"]]
            spoken = began + (end_ms - _HANGOVER_MS) / 1000
            if spoken < known:
                continue
            lags.append(at - spoken)
        return lags


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A whole call on so many lines: seconds from the end of speech to a subscriber, the most memory, seconds to the first frame."""

    lines: int
    utterances_s: list[float]
    alerts_s: list[float]
    memory_mb: float
    first_s: float

    @property
    def p95_s(self) -> float:
        """Of the utterances."""
        return float(np.percentile(self.utterances_s, 95))


@contextmanager
def _box(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running `undertone run`, its log beside `config`; ends it with SIGTERM."""
    command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
    with config.with_suffix(".log").open("wb") as log, subprocess.Popen(command, stderr=log, cwd=ROOT) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)


def _first_frame_s(process: "subprocess.Popen[bytes]", log: Path) -> float:
    """Seconds from here to the first frame that a line heard."""
    began = time.monotonic()
    while b"line.first_sound" not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    return time.monotonic() - began


def _resident_mb(pid: int) -> float:
    """Memory of `pid` and its children: PSS, in which what programs share is counted once."""
    pids = [str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    total = 0
    for one in pids:
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def _a_call(folder: Path, lines: int) -> Run:
    """Hear the whole call on `lines` lines at once."""
    with Broker(folder / "broker") as broker:
        subscriber = Subscriber(broker.port)
        config = _configuration(folder / "box", lines, broker.port)
        memory_mb = 0.0
        with _box(config) as process:
            first_s = _first_frame_s(process, config.with_suffix(".log"))
            while process.poll() is None:
                try:
                    memory_mb = max(memory_mb, _resident_mb(process.pid))
                except (OSError, StopIteration):
                    break
                time.sleep(0.5)
        subscriber.close()
    utterances, alerts = (subscriber.lags_s(f"undertone.{kind}.v1") for kind in ("call.utterance", "alert"))
    return Run(lines=lines, utterances_s=utterances, alerts_s=alerts, memory_mb=memory_mb, first_s=first_s)


def _a_start(folder: Path) -> float:
    """Seconds from start to first frame, once more."""
    with Broker(folder / "broker") as broker:
        config = _configuration(folder / "box", 1, broker.port)
        with _box(config) as process:
            return _first_frame_s(process, config.with_suffix(".log"))


def lines(runs: int) -> list[Row]:
    """Latency, memory, start, and how many lines are heard in time. Stops at the first count that is not."""
    measured: list[Run] = []
    with tempfile.TemporaryDirectory() as folder:
        starts = [_a_start(Path(folder) / f"start-{n}") for n in range(runs)]
        for count in _COUNTS[:2] if runs < 2 else _COUNTS:
            measured.append(_a_call(Path(folder) / str(count), count))
            if measured[-1].p95_s > _PROMPT_S and count > 1:
                break
    one, two = measured[0], measured[min(1, len(measured) - 1)]
    # Of more lines than it carries an overloaded box leaves the words out, and their memory.
    in_time = [run for run in measured if run.p95_s <= _PROMPT_S]
    most, prompt = (in_time[-1], in_time[-1].lines) if in_time else (one, 0)
    rows = [
        Row(name="end of speech to PUBACK (a subscriber has it), p95, two lines", figure=two.p95_s, unit="s", least=0.9, aim=0.65,
            detail=_told(two.utterances_s)),
        Row(name="resident memory, one line", figure=one.memory_mb, unit="MB", least=330, aim=260, detail="PSS with children"),
        Row(name="from start to first frame heard, warm disk", figure=statistics.median(starts), unit="s", least=3, aim=1.5,
            detail=f"{min(starts):.2f} to {max(starts):.2f}"),
        Row(name=f"two-channel lines at p95 <= {_PROMPT_S} s", figure=prompt, unit="lines", least=8, aim=14, higher=True,
            detail="p95: " + ", ".join(f"{run.lines}: {run.p95_s:.2f} s" for run in measured)),
    ]  # fmt: skip
    if two.alerts_s:
        p95 = float(np.percentile(two.alerts_s, 95))
        rows.append(
            Row(
                name="end of speech to alert at a subscriber, p95, two lines",
                figure=p95,
                unit="s",
                least=1.0,
                aim=0.7,
                detail=_told(two.alerts_s),
            )
        )
    if most.lines > 1:
        each = (most.memory_mb - one.memory_mb) / (most.lines - 1)
        detail = ", ".join(f"{run.lines}: {run.memory_mb:.0f} MB" for run in measured)
        rows.append(Row(name="resident memory, each further line", figure=each, unit="MB", least=90, aim=60, detail=detail))
    return rows


def _told(lags_s: list[float]) -> str:
    return f"median {statistics.median(lags_s):.2f} s of {len(lags_s)}, {min(lags_s):.2f} to {max(lags_s):.2f}"
