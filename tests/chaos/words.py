"""The box ends in the middle of a call: by its words engine, as Kaldi does by abort(), and started again; then stopped on purpose."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.asr.vosk_model import find_vosk
from edge.config import Config
from tests.broker import Broker
from tests.chaos.table import Row, Scale
from tests.real.service.test_app import QUIET_LINE, talks
from tests.service import Service
from tests.telling import Subscriber, consumer, until

_CALL = Path(__file__).parent.parent / "demo" / "call.wav"
_PATIENCE_S = 60.0
_STOP_S = 5.0
_LINES = """\
site: leeds
device: desk-1
models: {{vosk: {vosk}}}
lines:
  - {{name: line-1, source: {{command: {call}}}, channels: [customer, agent], idle_s: 6}}
  - {{name: line-2, source: {other}, channels: [customer]}}
mqtt: {{url: "{url}"}}
"""


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """A call played at the speed of life; SIGABRT after its first utterance."""
    vosk = find_vosk(Config())
    if vosk is None:
        pytest.skip("no speech recogniser here: run `undertone fetch-model`")
    patience_s = _PATIENCE_S * scale.slack
    call = json.dumps([sys.executable, "-m", "tests.stream", str(_CALL), "1"])
    with Broker(folder, persistent=True) as broker, Subscriber(broker.url) as central:
        box = Service(folder, _LINES.format(vosk=json.dumps(str(vosk)), call=call, other=talks(QUIET_LINE), url=broker.url))
        with box:
            # A box that is starved gives up words before voice: its recogniser was fed all the same.
            box.until(lambda _status: central.events("call.utterance"), patience_s)
            broken = central.events("call.started")[-1]["data"]["call"]
            aborted = time.monotonic()
            box.process.send_signal(signal.SIGABRT)
            code = box.wait()
            box.start()
            box.until(lambda _status: central.events("call.failed"), patience_s)
            box.until(lambda _status: central.events("device.state")[-1]["data"]["boot"] == 2 and _up(central), patience_s)
            box.until(lambda status: status["state"]["boot"] == 2 and min(status["health"]["frames"].values()) > 0, patience_s)
            again = time.monotonic() - aborted
            box.until(lambda _status: len(central.events("call.started")) > 1, patience_s)
            stopped = time.monotonic()
            ended = box.stop()
            took = time.monotonic() - stopped
        until(lambda: central.events("device.state")[-1]["data"]["state"] == "stopped")
    failed = [event["data"] for event in central.events("call.failed")]
    prove = consumer()(since=0)
    for topic, event, _ in list(central.messages):
        prove.take(topic, event)
    finished = {event["data"]["alert"] for event in central.events("alert") if event["data"]["state"] == "end"}
    opened = {event["data"]["alert"] for event in central.events("alert") if event["data"]["call"] == broken}
    good = [(one["call"], one["reason"]) for one in failed] == [(broken, "restart")] and not prove.missing() and opened <= finished
    yield Row(
        fault="words engine aborts in the middle of a call",
        done=f"SIGABRT (what Kaldi's abort() raises) to the box; it ended with {code}, and was started again at once, as by systemd",
        result=f"the call ended as `failed` ({failed[0]['reason']}), {len(opened)} of its alerts ended,"
        f" {len(prove.missing())} topics unproven; both lines heard again and the next call begun",
        good=good and code == -signal.SIGABRT,
        well_again_s=again,
    )
    closed = [event["data"]["closed_by"] for event in central.events("call.summary")]
    yield Row(
        fault="stopped on purpose in the middle of a call",
        done="SIGTERM, as by `systemctl stop`",
        result=f"ended with {ended} after {took:.1f} s (bound {_STOP_S:g} s); a subscriber has the call's summary"
        f" (closed by {', '.join(closed)}) and the state `stopped`",
        good=ended == 0 and took <= _STOP_S * scale.slack and closed == ["stop"],
    )


def _up(central: Subscriber) -> bool:
    return set(central.events("device.state")[-1]["data"]["lines"].values()) == {"up"}
