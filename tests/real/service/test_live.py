"""The live way, with nothing faked: paplay -> PulseAudio -> PortAudio -> `undertone run` -> mosquitto -> a subscriber."""

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import jsonschema
import paho.mqtt.client as mqtt
import pytest

from edge.asr.vosk_model import find_vosk
from edge.config import Config
from edge.wire.schema import schemas
from tests.broker import Broker
from tests.paths import TESTS
from tests.pulse import PulseAudio

# PulseAudio's environment has a HOME of its own, where no recogniser would be found.
VOSK = find_vosk(Config())
CALL = TESTS / "demo" / "call.wav"
# Into the complaint and past its alert, as the issue of the broker that goes away asks for it.
BROKER_STOPS_S, BROKER_AWAY_S = 22, 20

CONFIG = """\
site: leeds
device: desk-014
lines:
  - {{name: line-1, desk: "4711", source: {source}, channels: [customer, agent], idle_s: 6}}
mqtt: {{url: "{url}"}}
models: {{vosk: {vosk}}}
state_dir: "{state}"
"""


class Subscriber:
    """A central system: a persistent session, so that a broker that comes back gives it what it missed."""

    def __init__(self, port: int) -> None:
        self.events: queue.Queue[dict] = queue.Queue()
        self.seen: list[dict] = []
        self.connected = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="central", clean_session=False)
        self._client.on_connect = lambda client, *_: client.subscribe("undertone/v1/#", 1)
        self._client.on_subscribe = lambda *_: self.connected.set()
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.connected.wait(10)

    def _take(self, _client, _data, message) -> None:
        event = json.loads(message.payload) | {"topic": message.topic, "retain": message.retain}
        self.seen.append(event)
        self.events.put(event)

    def until(self, wanted: str, seconds: float, **data) -> dict:
        """The next event of type `wanted` whose data has these values."""
        give_up = time.monotonic() + seconds
        while True:
            try:
                event = self.events.get(timeout=max(0, give_up - time.monotonic()))
            except queue.Empty:
                came = [(e["type"], e["data"].get("state"), e["data"].get("reasons"), e["data"].get("lines")) for e in self.seen]
                pytest.fail(f"no {wanted} {data} within {seconds} s; came: {came}")
            if event["type"] == wanted and all(event["data"].get(k) == v for k, v in data.items()):
                return event

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def start_box(tmp_path: Path, url: str, source: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    config = tmp_path / "undertone.yaml"
    config.write_text(
        CONFIG.format(url=url, source=source, vosk=json.dumps(VOSK and str(VOSK)), state=tmp_path / "state"), encoding="utf-8"
    )
    command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def of(events: list[dict], kind: str) -> list[dict]:
    return [event["data"] for event in events if event["type"] == f"undertone.{kind}.v1"]


@pytest.mark.skipif(VOSK is None, reason="no speech recogniser here: run `undertone fetch-model`")
@pytest.mark.takes(70)
def test_a_call_played_into_a_sound_card_reaches_a_subscriber_whole_though_the_broker_was_away(tmp_path):
    with PulseAudio.start(tmp_path) as pulse, Broker(tmp_path, persistent=True) as broker:
        central = Subscriber(broker.port)
        box = start_box(tmp_path, broker.url, "{device: auto}", pulse.env)
        try:
            central.until("undertone.device.state.v1", 60, state="online", lines={"line-1": "up"})
            playing = pulse.play(CALL)
            central.until("undertone.call.started.v1", 30)
            with pytest.raises(subprocess.TimeoutExpired):
                playing.wait(BROKER_STOPS_S)
            broker.stop()
            with pytest.raises(subprocess.TimeoutExpired):
                playing.wait(BROKER_AWAY_S)
            broker.start()
            assert playing.wait(60) == 0
            central.until("undertone.call.summary.v1", 60)
            box.send_signal(signal.SIGTERM)
            central.until("undertone.device.state.v1", 20, state="stopped")
            assert box.wait(10) == 0, box.stderr.read()
        finally:
            box.kill()
            box.wait()
            log = box.stderr.read()
            box.stderr.close()
            central.close()

    once = list({event["id"]: event for event in central.seen if event["id"]}.values())
    by_topic = defaultdict(set)
    for event in once:
        if event.get("sequence") is not None:
            by_topic[event["topic"]].add(event["sequence"])
    assert {topic: sorted(got) for topic, got in by_topic.items()} == {t: list(range(1, len(g) + 1)) for t, g in by_topic.items()}
    summary = of(once, "call.summary")[0]
    heard = of(once, "call.utterance")
    assert len(of(once, "call.started")) == 1
    assert sorted(u["n"] for u in heard) == list(range(1, summary["utterances"] + 1))
    assert summary["customer_utterances"] >= 5
    assert any(u["voice"] for u in heard)
    assert any(u["words"] for u in heard)
    assert all(u["voice"] is None and u["verdict"] is None for u in heard if u["role"] == "agent")
    assert [alert for alert in of(once, "alert") if alert["state"] == "new" and alert["reasons"][0]["evidence"]]
    known = {f"undertone.{kind}.v1": schema for kind, schema in schemas().items()}
    for event in once:
        jsonschema.validate({k: v for k, v in event.items() if k not in {"topic", "retain"}}, known[event["type"]])
    for word in ("ombudsman", "unacceptable", "disgrace", "charged"):
        assert word not in log.lower()


def test_a_box_that_is_killed_leaves_its_will(tmp_path):
    with Broker(tmp_path) as broker:
        central = Subscriber(broker.port)
        box = start_box(tmp_path, broker.url, f'{{file: "{CALL}", realtime: true}}')
        try:
            central.until("undertone.device.state.v1", 60, state="online")
        finally:
            box.kill()
            box.wait()
            box.stderr.close()
        lost = central.until("undertone.device.state.v1", 20, state="lost")
        central.close()
    assert lost["data"]["boot"] == 1


def test_a_wrong_configuration_ends_with_2_and_one_line(tmp_path):
    config = tmp_path / "undertone.yaml"
    config.write_text("lines: []\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "edge", "run", "--config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "key 'lines'" in done.stderr
