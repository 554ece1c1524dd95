"""`make demo`: the shipped call, heard by a real box as a live line, told to a real broker, drawn by a real subscriber.

Three programs, as in the field: an MQTT broker (embedded for the demo), `undertone run` in a process of its own, and a subscriber
that knows nothing but the topics. Leaves a report page.
"""

import argparse
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge.cli.console import Console
from edge.report.page import write_report
from tests.demo.broker import embedded_broker

CALL = Path(__file__).parent / "call.wav"
REPORT = Path(__file__).parent.parent.parent / "build" / "demo-report.html"
# Models load in a few seconds; a box that has said nothing for this long never will.
SILENCE_S = 60
CONFIG = """\
site: demo
device: box-1
lines:
  - name: line-1
    desk: "4711"
    source: {{file: "{call}", realtime: {realtime}}}
    channels: [customer, agent]
mqtt: {{url: "mqtt://127.0.0.1:{port}", protocol: "3.1.1"}}
privacy: transcript
status_page: {{port: 0}}
state_dir: "{state}"
"""


def main() -> int:
    """Run the demo; 0 when at least one alert was seen."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="as fast as this machine can, instead of as it was spoken")
    args = parser.parse_args()
    print("A call to a service line: 61 s, customer on the left, agent on the right, telephone quality, spoken by a synthesiser.")
    print("Words are shown here because the demo's privacy tier is 'transcript'; the default tier sends numbers only.\n")
    with tempfile.TemporaryDirectory() as folder, embedded_broker() as port:
        config = Path(folder) / "undertone.yaml"
        config.write_text(
            CONFIG.format(call=CALL, realtime=str(not args.fast).lower(), port=port, state=Path(folder) / "state"), encoding="utf-8"
        )
        events = _watch(port, config)
    alerts = alerts_in(events)
    REPORT.parent.mkdir(exist_ok=True)
    write_report(REPORT, events, recording=CALL)
    print(f"\n{len(events)} events, {len(alerts)} alert(s). The call as a page: build/{REPORT.name}")
    if not alerts:
        print(f"the demo call raised no alert: {why_none(events, os.getloadavg()[0], len(os.sched_getaffinity(0)))}", file=sys.stderr)
        return 1
    return 0


def alerts_in(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """The alerts that `events` (CloudEvents as dicts) tell of, by name: one that moves to another route is new there, and the same."""
    return {event["data"]["alert"] for event in events if event["type"] == "undertone.alert.v1"}


def why_none(events: Iterable[Mapping[str, Any]], load: float, cores: int) -> str:
    """Why `events` have no alert, and what to do: the machine was too busy to hear the call, or something is wrong.

    `load`: programs that wanted one of its `cores`, on average over the last minute.
    """
    about = [(event["type"], event["data"]) for event in events]
    lost_s = sum(data["lost_ms"] for kind, data in about if kind == "undertone.call.summary.v1") / 1000
    unread = sum(data["words_reason"] == "overload" for kind, data in about if kind == "undertone.call.utterance.v1")
    unheard = not any(kind == "undertone.call.summary.v1" for kind, _ in about) and load > cores
    found = [f"{lost_s:.0f} s of sound were lost"] if lost_s else []
    found += [f"utterances without words: {unread}"] if unread else []
    found += ["it was not heard to its end"] if unheard else []
    if found:
        remedy = "end other programs, or give it the time that it needs: .venv/bin/python -m tests.demo --fast"
        return f"this machine has too much to do (load {load:.1f}, cores: {cores}): {', '.join(found)}; {remedy}"
    return "something is wrong; try `undertone doctor`"


def _watch(port: int, config: Path) -> list[dict[str, Any]]:
    """Start the box and draw what it says until its call is over and the box has gone."""
    inbox: queue.Queue[dict[str, Any]] = queue.Queue()
    subscriber = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    subscriber.on_connect = lambda client, *_: client.subscribe("undertone/v1/#", 1)
    subscriber.on_message = lambda _client, _data, message: inbox.put(json.loads(message.payload))
    subscriber.connect("127.0.0.1", port)
    subscriber.loop_start()
    box = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", str(config), "--log-level", "warning"], env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    console, events = Console(), []
    try:
        while True:
            event = inbox.get(timeout=SILENCE_S)
            events.append(event)
            console.show(event)
            if event["type"] == "undertone.device.state.v1" and event["data"]["state"] in ("stopped", "lost"):
                break
        box.wait(SILENCE_S)
    except queue.Empty:
        print(f"the box has said nothing for {SILENCE_S} s", file=sys.stderr)
    finally:
        if box.poll() is None:
            box.send_signal(signal.SIGTERM)
            box.wait(SILENCE_S)
        subscriber.disconnect()
        subscriber.loop_stop()
    return events


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
