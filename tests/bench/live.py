"""`undertone run` measured from outside: recordings as lines at real time, a real mosquitto, a real subscriber."""

import json
import signal
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt

from tests.broker import Broker

# Our endpointer's hangover, which `end_ms` of an utterance holds and its speech does not.
HANGOVER_MS = 500


def configuration(folder: Path, call: Path, lines: int, port: int) -> Path:
    """A box with `lines` two-channel lines that hear `call` at real time."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "site": "bench",
        "device": f"box-{lines}",
        "lines": [
            {"name": f"line-{n + 1}", "source": {"file": str(call), "realtime": True}, "channels": ["customer", "agent"]}
            for n in range(lines)
        ],
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}"},
        "state_dir": str(folder / "state"),
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

    def lags_ms(self, kind: str) -> list[float]:
        """Milliseconds from the end of speech to arrival here, for customer utterances or for alerts."""
        anchors = {e["data"]["call"]: e["data"]["started_at"] for _, e in self.arrived if e["type"] == "undertone.call.started.v1"}
        lags = []
        for at, event in self.arrived:
            data = event["data"]
            if event["type"] != kind or data.get("call") not in anchors:
                continue
            if kind.startswith("undertone.alert") and (data["state"] != "new" or not data["evidence"]):
                continue
            end_ms = data["evidence"][-1]["end_ms"] if "evidence" in data else data["end_ms"]
            if data.get("role") == "agent":
                continue
            spoken = datetime.fromisoformat(anchors[data["call"]]).timestamp() + (end_ms - HANGOVER_MS) / 1000
            lags.append((at - spoken) * 1000)
        return lags


@contextmanager
def box(config: Path):
    """A running `undertone run`; ends it with SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", str(config), "--log-level", "warning"], stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stderr.close()


def resident_mb(pid: int) -> float:
    """Resident memory of `pid` and its children, without what they share with other programs counted twice (PSS)."""
    pids = [str(pid), *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    total = 0
    for one in pids:
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def one_run(folder: Path, call: Path, lines: int) -> dict[str, Any]:
    """Hear the whole call on `lines` lines at once: lags, memory, CPU, time to the first frame."""
    with Broker(folder / "broker") as broker:
        subscriber = Subscriber(broker.port)
        config = configuration(folder / "box", call, lines, broker.port)
        status = folder / "box" / "state" / "status.json"
        begun, first, memory = time.monotonic(), None, 0.0
        with box(config) as process:
            while process.poll() is None:
                time.sleep(0.1)
                memory = max(memory, resident_mb(process.pid)) if process.poll() is None else memory
                if first is None and status.exists():
                    frames = json.loads(status.read_text())["health"]["frames"]
                    first = time.monotonic() - begun if any(frames.values()) else None
        subscriber.close()
    return {
        "lines": lines,
        "lags": subscriber.lags_ms("undertone.call.utterance.v1"),
        "alert_lags": subscriber.lags_ms("undertone.alert.v1"),
        "memory_mb": memory,
        "first_s": first,
    }


def measure(folder: Path, call: Path) -> list[dict[str, Any]]:
    """The live rows of the table: two lines for latency, one, two and four for memory."""
    runs = {lines: one_run(folder / str(lines), call, lines) for lines in (1, 2, 4)}
    two = runs[2]
    each = (runs[4]["memory_mb"] - runs[1]["memory_mb"]) / 3
    p95 = float(np.percentile(two["lags"], 95))
    rows = [
        _row("end of speech to a subscriber, p95, real time, two lines", p95 / 1000, "s", 0.9, 0.65, median(two["lags"])),
        _row("resident memory, one line", runs[1]["memory_mb"], "MB", 330, 260, "PSS with children"),
        _row("resident memory, each further line", each, "MB", 90, 60, "from 1 to 4 lines"),
        _row("from start to first frame heard", runs[1]["first_s"], "s", 3, 1.5, "seen through status.json"),
        _row(
            "end of speech to a subscriber, p95, four lines", float(np.percentile(runs[4]["lags"], 95)) / 1000, "s", 0.9, 0.65,
            median(runs[4]["lags"]),
        ),
    ]  # fmt: skip
    if two["alert_lags"]:
        rows.append(
            _row("end of speech to alert at a subscriber, p95", float(np.percentile(two["alert_lags"], 95)) / 1000, "s", 1.0, 0.7, "")
        )
    return rows


def median(lags: list[float]) -> str:
    """The detail beside a p95."""
    return f"median {statistics.median(lags):.0f} ms"


def _row(name: str, figure: float, unit: str, least: float, aim: float, detail: str) -> dict[str, Any]:
    return {"name": name, "figure": figure, "unit": unit, "least": least, "aim": aim, "higher": False, "detail": detail}
