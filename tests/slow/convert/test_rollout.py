"""One command to twenty boxes and its answer: two are `undertone run`, eighteen the real model manager and bus without a sound card."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Container
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.boxes import SimulatedBox, config
from tests.broker import Broker
from tests.nets import SHIPPED, keys, tar, too_sure, voice
from tests.paths import ROOT
from tests.real.service.test_live import CALL, Subscriber

# Versions are far above that of the shipped model, whichever it is.
pytestmark = pytest.mark.skipif(not SHIPPED.is_dir(), reason="no voice model is shipped in this clone")


def pushed(bundle: Path, url: str, *more: str) -> list[str]:
    return [sys.executable, "-m", "convert", "push", str(bundle), "--url", url, "--site", "leeds", *more]


def push(bundle: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        pushed(bundle, url, *more), cwd=ROOT, capture_output=True, text=True, timeout=400, check=False, env={"COLUMNS": "150"}
    )


def talking(box: SimulatedBox, stop: threading.Event) -> threading.Thread:
    """Calls of sixteen utterances, one after the other."""

    def talk() -> None:
        while not stop.is_set():
            box.call(range(16))

    thread = threading.Thread(target=talk)
    thread.start()
    return thread


def real_box(folder: Path, device: str, url: str, public: Path) -> subprocess.Popen[bytes]:
    file = folder / f"{device}.yaml"
    line = {"name": "line-1", "channels": ["customer", "agent"], "idle_s": 6}
    line["source"] = {"command": [sys.executable, "-m", "tests.stream", str(CALL), "4"]}
    settings = {"site": "leeds", "device": device, "mode": "voice", "state_dir": str(folder / device), "lines": [line]}
    file.write_text(json.dumps(settings | {"mqtt": {"url": url}, "models": {"trusted_keys": [str(public)]}}))
    return subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(file)], cwd=ROOT, stderr=subprocess.DEVNULL)


def simulated(stack: ExitStack, folder: Path, device: str, url: str, public: Path) -> SimulatedBox:
    return stack.enter_context(SimulatedBox(config(folder, public, device=device, url=url), broker=True))


def models(central: Subscriber, device: str, kind: str) -> list[str]:
    events = [event for event in central.seen if event["type"] == f"undertone.{kind}.v1" and f"/{device}/" in event["topic"]]
    return [event["data"]["models"]["voice"] for event in events]


def judged_by_one(central: Subscriber) -> dict[str, str]:
    """Each call with judged utterances -> the one voice model that began it, judged each of them, and ended it."""
    judges: dict[str, set[str]] = {}
    heard: set[str] = set()
    for event in central.seen:
        data = event["data"]
        if event["type"] in {"undertone.call.started.v1", "undertone.call.summary.v1"}:
            judges.setdefault(data["call"], set()).add(data["models"]["voice"])
        elif event["type"] == "undertone.call.utterance.v1" and data["voice"] is not None:
            judges.setdefault(data["call"], set()).add(data["voice"]["model"])
            heard.add(data["call"])
    assert all(len(models) == 1 for models in judges.values()), judges
    return {call: next(iter(models)) for call, models in judges.items() if call in heard}


def until_judged(central: Subscriber, *, but: Container[str] = ()) -> None:
    """The next utterance that a voice model has judged, of a call that is none of `but`."""
    while (heard := central.until("undertone.call.utterance.v1", 240)["data"])["voice"] is None or heard["call"] in but:
        pass


@pytest.mark.takes(20)
def test_killed_in_the_midst_of_swaps_a_real_box_has_each_call_judged_by_one_model(tmp_path):
    private, public, _ = keys(tmp_path)
    chance = random.Random(3)
    with Broker(tmp_path) as broker, ExitStack() as stack:
        central = Subscriber(broker.port)
        stack.callback(central.close)
        for number in range(1, 1 + int(os.environ.get("UNDERTONE_REAL_KILLS", "2"))):
            new = tar(voice(tmp_path / f"v{number}", f"9.{number}.0", private))
            box = real_box(tmp_path, "desk-1", broker.url, public)
            stack.callback(box.wait)
            stack.callback(box.kill)
            until_judged(central)
            pushing = subprocess.Popen(pushed(new, broker.url, "--canary", "0"), cwd=ROOT, stdout=subprocess.DEVNULL)
            stack.callback(pushing.wait)
            stack.callback(pushing.kill)
            # The first is taken over for sure; the others may be killed anywhere.
            central.until("undertone.device.model.v1", 120, **({"action": "probation"} if number == 1 else {}))
            with pytest.raises(subprocess.TimeoutExpired):
                box.wait(chance.uniform(0.0, 8.0))
            box.kill()
            box.wait()
            pushing.kill()
            pushing.wait()
        judged = judged_by_one(central)
        last = real_box(tmp_path, "desk-1", broker.url, public)
        stack.callback(last.wait)
        stack.callback(last.kill)
        central.until("undertone.device.state.v1", 240, boot=number + 1)
        # What the killed boxes said last may still be in the queue.
        until_judged(central, but=judged)
    calls = judged_by_one(central)
    assert len(calls) >= 2
    assert len(set(calls.values())) >= 2, "no model was ever taken over"


@pytest.mark.takes(40)
def test_twenty_boxes_run_the_new_model_after_one_command_two_of_them_for_real(tmp_path):
    private, public, _ = keys(tmp_path)
    new = tar(voice(tmp_path / "new", "9.0.1", private))
    with Broker(tmp_path) as broker, ExitStack() as stack:
        central = Subscriber(broker.port)
        stack.callback(central.close)
        real = [real_box(tmp_path, f"desk-{n}", broker.url, public) for n in (1, 2)]
        for process in real:
            stack.callback(process.wait, 30)
            stack.callback(process.send_signal, signal.SIGTERM)
        boxes = [simulated(stack, tmp_path, f"box-{n:02}", broker.url, public) for n in range(18)]
        for _ in (*real, *boxes):
            central.until("undertone.device.state.v1", 240, state="online")
        central.until("undertone.call.started.v1", 240)
        stop = threading.Event()
        canary = talking(boxes[0], stop)
        stack.callback(canary.join)
        stack.callback(stop.set)
        done = push(new, broker.url, "--canary", "5%", "--silent", "90")
        (tmp_path / "rollout.txt").write_text(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "20 of 20 boxes of leeds, 1 of them first" in done.stdout
        assert done.stdout.index("box-00           kept") < done.stdout.index("box-01           installed")
        table = done.stdout[done.stdout.index("this rollout") :]
        assert table.count("9.0.1") == 20
        told = {event["topic"].split("/")[3] for event in central.seen if event["type"] == "undertone.device.model.v1"}
        assert len(told) == 20
        for _ in real:
            central.until(
                "undertone.call.started.v1", 240, models={"voice": "voice-9.0.1", "words": None, "recogniser": None, "fusion": None}
            )
    for device in ("desk-1", "desk-2"):
        started, ended = models(central, device, "call.started"), models(central, device, "call.summary")
        # No call goes back.
        assert started == sorted(started)
        assert ended == started[: len(ended)]
    assert judged_by_one(central)


def test_a_canary_that_takes_it_back_stops_the_rollout_and_the_others_are_untouched(tmp_path):
    private, public, _ = keys(tmp_path)
    bad = tar(voice(tmp_path / "bad", "9.0.1", private, change=too_sure))
    with Broker(tmp_path) as broker, ExitStack() as stack:
        central = Subscriber(broker.port)
        stack.callback(central.close)
        boxes = [simulated(stack, tmp_path, f"box-{n}", broker.url, public) for n in range(4)]
        for _ in boxes:
            central.until("undertone.device.state.v1", 60, state="online")
        stop = threading.Event()
        canary = talking(boxes[0], stop)
        stack.callback(canary.join)
        stack.callback(stop.set)
        done = push(bad, broker.url, "--canary", "1")
        assert done.returncode == 1
        assert "rolled back: drift" in done.stdout
        assert "stopped: box-0 would not have it; no other box was touched" in done.stdout
        assert [box.told for box in boxes[1:]] == [[], [], []]
        assert not boxes[0].engines.models["voice"].endswith("9.0.1")


def test_a_canary_that_refuses_it_stops_the_rollout_with_its_reason(tmp_path):
    _, public, _ = keys(tmp_path)
    (tmp_path / "stranger").mkdir()
    foreign = voice(tmp_path / "foreign", "9.0.1", keys(tmp_path / "stranger")[0])
    with Broker(tmp_path) as broker, ExitStack() as stack:
        central = Subscriber(broker.port)
        stack.callback(central.close)
        boxes = [simulated(stack, tmp_path, f"box-{n}", broker.url, public) for n in range(2)]
        for _ in boxes:
            central.until("undertone.device.state.v1", 60, state="online")
        done = push(foreign, broker.url)
        assert done.returncode == 1
        assert "not trusted here" in done.stdout
        assert boxes[1].told == []


def test_nobody_there_ends_in_one_line(tmp_path):
    with Broker(tmp_path) as broker:
        done = push(SHIPPED, broker.url)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no such box is online" in done.stderr
