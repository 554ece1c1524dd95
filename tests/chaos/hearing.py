"""What happens to sound: the capture child stopped and killed, the device gone and back; and who the running box talks to."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge.capture import wavfile
from edge.config import StatusPageConfig
from tests.broker import Broker
from tests.chaos.table import Row, Scale
from tests.pulse import PulseAudio
from tests.real.service.test_app import QUIET_LINE, talks
from tests.service import Service
from tests.telling import Subscriber, until

_DEGRADED_S, _AGAIN_S = 5.0, 10.0
_PATIENCE_S = 120.0
# As soon as a card would give it, or the sink's delay would be taken for the box's.
_LATENCY_MS = 200
_TWO_LINES = """\
site: leeds
device: desk-1
mode: voice
lines:
  - {{name: line-1, source: {{device: "name:line"}}, channels: [customer, agent]}}
  - {{name: line-2, source: {other}, channels: [customer]}}
mqtt: {{url: "{url}"}}
"""


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """A box with a line on PulseAudio and one on a program, and a subscriber that sees its state."""
    wav = folder / "tone.wav"
    t = np.arange(16_000 * 600)[:, None] / 16_000
    wavfile.write(wav, np.rint(3000 * np.sin(2 * np.pi * np.array((440, 1000)) * t)).astype(np.int16), 16_000)
    with Broker(folder) as broker, Subscriber(broker.url) as central, PulseAudio.start(folder, pcms=("line",)) as pulse:
        env = pulse.env
        playing = pulse.play(wav, latency_ms=_LATENCY_MS)
        with Service(folder, _TWO_LINES.format(other=talks(QUIET_LINE), url=broker.url), env=env) as box:
            lines = _Lines(box, central, scale)
            lines.well()
            yield _connections(box, broker)
            yield lines.hurt("capture child stopped", "`kill -STOP`", lambda: os.kill(lines.child(), signal.SIGSTOP))
            yield lines.hurt("capture child killed", "`kill -9`", lambda: os.kill(lines.child(), signal.SIGKILL))
            playing.kill()
            playing.wait()
            gone, before = time.monotonic(), lines.other()
            pulse.process.terminate()
            pulse.process.wait(10)
            told = lines.degraded(gone)
            with PulseAudio.start(folder, pcms=("another", "line")) as second:
                playing = second.play(wav, latency_ms=_LATENCY_MS)
                back = time.monotonic()
                lines.well()
                yield lines.row("device gone, and back with another index", "the sound server ended; another card comes first", told,
                               time.monotonic() - back, lines.other() - before, time.monotonic() - gone)  # fmt: skip
                assert box.stop() == 0
                playing.kill()
                playing.wait()


class _Lines:
    def __init__(self, box: Service, central: Subscriber, scale: Scale) -> None:
        self._box, self._central, self._slack = box, central, scale.slack

    def hurt(self, fault: str, done: str, harm: Callable[[], None]) -> Row:
        began, before = time.monotonic(), self.other()
        harm()
        told = self.degraded(began)
        self.well()
        again = time.monotonic() - began
        return self.row(fault, done, told, again, self.other() - before, again)

    def row(self, fault: str, done: str, told: float, again: float, heard_s: float, lasted_s: float) -> Row:
        # Of the other line: at most a second of sound is on its way, and the figure is a second old.
        untouched = heard_s >= lasted_s - 3.0 * self._slack
        return Row(
            fault=fault,
            done=done,
            result=f"`degraded` at a subscriber after {told:.1f} s (bound {_DEGRADED_S:g} s), heard again after {again:.1f} s"
            f" (bound {_AGAIN_S:g} s); the other line heard {heard_s:.1f} s of sound meanwhile ({lasted_s:.1f} s)",
            good=told <= _DEGRADED_S * self._slack and again <= _AGAIN_S * self._slack and untouched,
            well_again_s=again,
        )

    def degraded(self, began: float) -> float:
        until(lambda: self._state()["lines"]["line-1"] in ("stalled", "absent") and self._state()["state"] == "degraded", _PATIENCE_S)
        assert self._state()["lines"]["line-2"] == "up"
        return time.monotonic() - began

    def well(self) -> None:
        """Both lines up, as a subscriber sees it, and sound of the first one judged again."""
        until(lambda: self._central.events("device.state") and set(self._state()["lines"].values()) == {"up"}, _PATIENCE_S)
        frames = self._frames("line-1")
        until(lambda: self._frames("line-1") > frames, _PATIENCE_S)

    def other(self) -> float:
        """Seconds of sound that line-2 has heard."""
        return self._frames("line-2") * 0.02

    def child(self) -> int:
        """The process that captures line-1."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == self._box.process.pid and b"edge.capture.child\0device" in command:
                return int(stat.parent.name)
        raise AssertionError("no capture child")

    def _frames(self, line: str) -> int:
        return self._box.status["health"]["frames"][line]

    def _state(self) -> dict:
        return self._central.events("device.state")[-1]["data"]


def _connections(box: Service, broker: Broker) -> Row:
    """Every socket but Unix ones of the box and its children."""
    fault, done = "connections of a running box (`ss -tuap`)", "two lines, one on a sound card, one on a program"
    if shutil.which("ss") is None:
        return Row(fault=fault, done=done, result="ss is not installed", good=None)
    pids = {box.process.pid, *_children(box.process.pid)}
    lines = subprocess.run(["ss", "-Htuanp"], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [line.split() for line in lines if {int(pid) for pid in re.findall(r"pid=(\d+)", line)} & pids]
    # paho wakes its own thread through a pair of sockets: both ends are ours.
    listening = [columns[4] for columns in ours if columns[1] in ("LISTEN", "UNCONN")]
    peers = {columns[5] for columns in ours if columns[4] not in listening} - {columns[4] for columns in ours}
    only = peers == {f"127.0.0.1:{broker.port}"}
    page = StatusPageConfig()
    others = [one for one in listening if one != f"{page.address}:{page.port}"]
    return Row(
        fault=fault,
        done=done,
        result=f"to the broker {'and nothing else' if only else sorted(peers)}; {len(others)} listening but for the status page (loopback)",
        good=only and not others,
    )


def _children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
