"""The service says how it is: real process, real broker, sound from real programs."""

import html
import json
import shutil
import subprocess
import sys
import wave
from datetime import UTC, datetime

import httpx
import pytest
from paho.mqtt import publish

from edge.config import Config
from edge.errors import ConfigError
from edge.models.loading import changed, load_engines, reconfigured
from edge.outbox.counts import Counts
from edge.service.device_state import DeviceState
from edge.values import Mode
from edge.wire.codes import CheckOutcome
from edge.wire.device import CheckData, SelfTest
from tests.broker import Broker
from tests.paths import ROOT
from tests.ports import free_port
from tests.service import Service
from tests.telling import Subscriber, until

HERE = ROOT
# Writes a second of sound a second, for ever; `s` is a function of the time in seconds, an array.
TALKER = """
import sys, time
import numpy as np
began, n = time.monotonic(), 0
while True:
    t = n + np.arange(16000) / 16000
    sys.stdout.buffer.write(np.clip(np.rint({s} + 0 * t), -32768, 32767).astype("<i2").tobytes())
    sys.stdout.buffer.flush()
    n += 1
    time.sleep(max(0, began + n - time.monotonic()))
"""


def talks(s: str) -> str:
    """A source that sounds like `s`, as YAML."""
    return f"{{command: {json.dumps([sys.executable, '-c', TALKER.format(s=s)])}}}"


QUIET_LINE = "np.random.default_rng(n).normal(0, 60, 16000)"


def one_line(broker: str, source: str = "", more: str = "") -> str:
    return (
        f"lines: [{{name: line-1, source: {source or talks(QUIET_LINE)}, channels: [customer]}}]\n"
        f"mqtt: {{url: '{broker}'}}\nmode: voice\n{more}"
    )


def tell(broker: Broker, topic: str, payload: str = "{}") -> None:
    publish.single(f"undertone-cmd/v1/site/box/{topic}", payload, qos=1, hostname="127.0.0.1", port=broker.port)


def test_a_box_tests_itself_at_boot_and_when_asked_and_one_that_fails_degrades_and_says_so(tmp_path):
    shutil.copytree(HERE / "models/voice", tmp_path / "voice")
    net = next((tmp_path / "voice").glob("*.tflite"))
    config = "models: {voice: voice}"
    with Broker(tmp_path) as broker, Subscriber(broker.url) as central, Service(tmp_path, one_line(broker.url, more=config)) as box:

        def told() -> list[str]:
            """What the last state on the bus says of self-tests; this machine may be too busy for other reasons."""
            state = central.events("device.state")[-1]["data"]
            assert (state["state"] == "degraded") == bool(state["reasons"])
            return [reason for reason in state["reasons"] if reason.startswith("self-test: ")]

        until(lambda: len(central.events("device.selftest")) == 1)
        assert told() == []
        whole = net.read_bytes()
        net.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        tell(broker, "selftest/run")
        until(lambda: any(reason.startswith("self-test: voice: failed: ") for reason in told()))
        net.write_bytes(whole)
        tell(broker, "selftest/run")
        until(lambda: not told())
        box.until(lambda status: status["health"]["selftest_passed"])
        assert box.stop() == 0
    assert [event["data"]["passed"] for event in central.events("device.selftest")] == [True, False, True]


@pytest.mark.takes(32)
def test_what_is_wrong_with_the_sound_of_each_line_is_told_and_the_good_line_is_not_blamed(tmp_path):
    wrong = {
        "clipped": ("60000 * np.sin(600 * np.pi * t)", "clipped; turn the capture gain down"),
        "hum": ("3000 * np.sin(100 * np.pi * t)", "mains hum; use an isolating"),
        "stuck": ("4711", "stuck level; unplug"),
        "zeros": ("0", "digital silence for more than 30 s"),
    }
    lines = [f"{{name: {name}, source: {talks(s)}, channels: [mixed]}}" for name, (s, _) in wrong.items()]
    lines.append(f"{{name: good, source: {talks(QUIET_LINE)}, channels: [mixed]}}")
    port = free_port()
    more = f"mode: voice\nmqtt: {{url: 'mqtt://127.0.0.1:9'}}\nstatus_page: {{port: {port}}}\n"
    with Service(tmp_path, f"lines: [{', '.join(lines)}]\n{more}") as box:
        for name, (_, says) in wrong.items():
            box.until(lambda _, start=f"{name}: mixed: {says}": any(reason.startswith(start) for reason in box.reasons), 90)
        assert [reason for reason in box.reasons if reason.startswith("good: mixed: ")] == []
        page = httpx.get(f"http://127.0.0.1:{port}/status.json").json()
        assert page["levels"]["zeros"] == {"mixed": None}
        assert page["levels"]["clipped"]["mixed"] > -2
        assert page["levels"]["good"]["mixed"] == pytest.approx(-54.7, abs=1)
        assert page["selftest"]["passed"]
        shown = httpx.get(f"http://127.0.0.1:{port}/").text
        assert all(says.partition("; ")[2] in html.unescape(shown) for _, says in wrong.values())


@pytest.mark.parametrize(("trouble", "says"), [("login", "mqtt.password_file"), ("acl", "refused"), ("ca", "certificate")])
def test_why_the_broker_will_not_have_the_box_is_in_its_state(tmp_path, trouble, says):
    secret = tmp_path / "password"
    secret.write_text("wrong\n" if trouble == "login" else "hush\n")
    users = {"site/box": "hush"} if trouble != "ca" else None
    acl = "user site/box\ntopic write undertone/v1/site/box/state\n" if trouble == "acl" else None
    with Broker(tmp_path, passwords=users, acl=acl, tls=trouble == "ca") as broker:
        login = f", username: site/box, password_file: {secret}" if users else ""
        config = f"lines: [{{name: line-1, source: {talks(QUIET_LINE)}}}]\nmode: voice\nmqtt: {{url: '{broker.url}'{login}}}\n"
        with Service(tmp_path, config) as box:
            box.until(lambda _: any(reason.startswith("broker: ") and says in reason for reason in box.reasons), 90)
            assert box.status["state"]["state"] == "degraded"


def test_more_lines_than_the_box_was_measured_to_carry_are_refused_in_one_line(tmp_path):
    box = Service(tmp_path, f"lines: [{{name: a, source: {talks('0')}}}, {{name: b, source: {talks('0')}}}]\n")
    box.state_dir.mkdir()
    (box.state_dir / "capacity.json").write_text('{"lines": 1}')
    box.start()
    assert box.wait() == 2
    assert len(box.log) == 1
    assert "2 lines, but this box was measured to carry 1" in box.log[0]
    assert "doctor --bench" in box.log[0]


def test_a_changed_configuration_serves_from_the_next_call_and_a_bad_one_changes_nothing(tmp_path):
    with Broker(tmp_path) as broker, Subscriber(broker.url) as central, Service(tmp_path, one_line(broker.url)) as box:

        def call(number: int) -> str:
            """The privacy tier of the `number`-th call, begun now."""
            tell(broker, "call/line-1/start")
            until(lambda: len(central.events("call.started")) == number)
            return central.events("call.started")[-1]["data"]["privacy"]

        box.until(lambda status: status["connected"])
        assert call(1) == "numbers"
        box.configure(one_line(broker.url, more="privacy: transcript\noutbox_max_mb: 10\n"))
        box.reload()
        assert box.until_logged("config.taken").endswith("waits_for_restart=outbox_max_mb")
        assert call(2) == "transcript"
        until(lambda: central.events("device.info")[-1]["data"]["privacy"] == "transcript")
        box.configure(one_line(broker.url, more="privacy: loud\n"))
        box.reload()
        refused = box.until_logged("config.refused")
        assert "undertone.yaml: key 'privacy'" in refused
        assert call(3) == "transcript"
        assert box.process.poll() is None


def test_new_keywords_rules_and_weights_are_taken_and_the_rest_waits(tmp_path):
    engines, path = load_engines(Config(mode=Mode.WORDS)), tmp_path / "undertone.yaml"
    assert [spot.keyword for spot in engines.judge.judge_text("my invoice is wrong again").spotted] == []
    path.write_text("mode: voice\nkeywords: [{name: bill, phrases: [invoice]}]\nfusion: {voice_weight: 0.1}\n")
    now, waiting = changed(path, Config(mode=Mode.WORDS))
    assert waiting == ["mode"]
    taken = reconfigured(engines, now)
    assert [spot.keyword for spot in taken.judge.judge_text("my invoice is wrong again").spotted] == ["bill"]
    assert taken.weights["voice"] == 0.1
    (tmp_path / "rules.yaml").write_text("rules: [{id: 5}]\n")
    path.write_text("rules: rules.yaml\n")
    with pytest.raises(ConfigError, match=r"rules\.yaml"):
        reconfigured(engines, changed(path, Config(mode=Mode.WORDS))[0])


class Silent:
    problem, wrong = None, ()


def reasons(condition: DeviceState, counts: Counts) -> list[str]:
    """What a box with nothing else wrong says of itself."""
    return condition.state(condition.problems(missing=(), counts=counts, bus=[]), for_bus=True).reasons


def test_a_full_outbox_and_a_disk_that_takes_nothing_are_told_and_forgotten_when_it_is_over():
    clock = [0.0]
    condition = DeviceState({"line-1": Silent()}, boot=1, clock=lambda: clock[0])

    def told(**counts) -> list[str]:
        found = Counts(rows=0, alert_rows=0, oldest_s=None, **counts)
        return reasons(condition, found)

    assert told() == []
    assert "the disk takes no events" in told(held=3)[0]
    assert "the oldest events had to go" in told(evicted=7)[0]
    clock[0] += 599
    assert told(evicted=7)
    clock[0] += 2
    assert told(evicted=7) == []


def test_the_state_says_since_when_it_is_so():
    condition = DeviceState({"line-1": Silent()}, boot=1)
    counts = Counts(rows=0, alert_rows=0, oldest_s=None)
    first = condition.state([], for_bus=True)
    assert condition.state([], for_bus=True) == first
    checks = {
        "words": CheckData(outcome=CheckOutcome.FAILED, says="no", remedy="roll back"),
        "voice": CheckData(outcome=CheckOutcome.GOOD),
    }
    condition.take_selftest(SelfTest(passed=False, checks=checks))
    assert reasons(condition, counts) == ["self-test: words: failed: no; roll back"]


def test_a_recording_that_is_played_fast_tells_nothing_from_the_future(tmp_path):
    with Broker(tmp_path) as broker, Subscriber(broker.url) as central:
        with wave.open(str(HERE / "tests/demo/call.wav")) as whole, wave.open(str(tmp_path / "call.wav"), "wb") as part:
            part.setparams(whole.getparams())
            part.writeframes(whole.readframes(15 * whole.getframerate()))
        source = f"{{file: '{tmp_path / 'call.wav'}', realtime: false}}"
        (tmp_path / "box.yaml").write_text(
            f"state_dir: {tmp_path / 'state'}\nlines: [{{name: line-1, source: {source}, channels: [customer, agent]}}]\n"
            f"mqtt: {{url: '{broker.url}'}}\nmode: voice\n"
        )
        command = [sys.executable, "-m", "edge", "run", "--config", str(tmp_path / "box.yaml")]
        assert subprocess.run(command, capture_output=True, timeout=300, check=False).returncode == 0
        until(lambda: central.events("call.summary"))
        ended = datetime.now(UTC)
    told = [event for _, event, _ in central.messages if event.get("subject")]
    assert told
    assert max(datetime.fromisoformat(event["time"]) for event in told) <= ended
    [summary] = central.events("call.summary")
    assert datetime.fromisoformat(summary["data"]["ended_at"]) <= ended
