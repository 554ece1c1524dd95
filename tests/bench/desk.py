"""The recovery desk: events a second from broker to database, and how long one takes from the broker to a browser."""

import json
import random
import re
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt

from edge.clock import uuid7
from tests.bench.flood import Flood
from tests.bench.row import Row
from tests.broker import Broker
from tests.desk_process import PASSWORD, DeskProcess, until
from tests.postgres import Postgres
from tests.scripted_box import ScriptedBox

_EVENTS, _RATE, _SECONDS = 12_000, 200, 20


def desk(runs: int) -> list[Row]:
    """Rows."""
    events = _EVENTS if runs > 1 else 1000
    return [_throughput("SQLite", events, 500), _throughput("PostgreSQL", events, 2000), *_latency(_SECONDS if runs > 1 else 4)]


def _throughput(kind: str, events: int, least: float) -> Row:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Broker(folder))
        database = stack.enter_context(Postgres(durable=True)).url() if kind == "PostgreSQL" else "recovery.db"
        running = stack.enter_context(DeskProcess(folder / "desk", broker.url, database=database))
        flood = Flood(broker.url, _messages(events))
        began, used = time.monotonic(), running.cpu_s
        flood.start()
        flood.wait(600)
        told = time.monotonic() - began
        until(lambda: _stored(running) >= events, 600)
        seconds, used = time.monotonic() - began, running.cpu_s - used
    detail = (
        f"{events} events of calls, one call in ten with an alert; the broker had them at {events / told:.0f} a second; "
        f"{events / used:.0f} a second of the desk's processor time"
    )
    return Row(name=f"desk, events stored ({kind})", figure=events / seconds, unit="/s", least=least, aim=least, higher=True, detail=detail)


def _messages(events: int) -> list[tuple[str, bytes]]:
    box, chance = ScriptedBox(), random.Random(1)
    made: list[tuple[str, bytes]] = []
    while len(made) < events:
        name = uuid7()
        call = [box.started(name), *(box.utterance(name, n, -0.4) for n in range(1, 40)), box.summary(name)]
        if chance.random() < 0.1:
            call.insert(5, box.alert(name))
        made += [(box.topic(event), box.payload(event)) for event in call]
    return made[:events]


def _stored(running: DeskProcess) -> float:
    text = httpx.get(f"{running.url}/metrics", timeout=30).text
    return sum(float(found) for found in re.findall(r'undertone_desk_messages_total\{[^}]*fate="stored"[^}]*\} (\S+)', text))


def _latency(seconds: int) -> list[Row]:
    sent: dict[str, float] = {}
    bare: list[float] = []
    seen: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Broker(folder))
        running = stack.enter_context(DeskProcess(folder / "desk", broker.url))
        client = running.client({})
        client.post("/login", data={"name": "ann", "password": PASSWORD})
        watcher = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        watcher.on_message = lambda _c, _d, message: bare.append(time.monotonic() - sent[json.loads(message.payload)["data"]["call"]])
        watcher.connect("127.0.0.1", broker.port)
        watcher.subscribe("undertone/v1/#", 1)
        watcher.loop_start()
        total = seconds * _RATE
        listener = threading.Thread(target=_listen, args=(client, sent, seen, total), daemon=True)
        listener.start()
        box = ScriptedBox(url=broker.url)
        began = time.monotonic()
        for n in range(total):
            event = box.started(uuid7())
            time.sleep(max(0.0, began + n / _RATE - time.monotonic()))
            sent[event["data"]["call"]] = time.monotonic()
            box._client.publish(box.topic(event), box.payload(event), qos=1)
        listener.join(60)
        box.close()
        watcher.disconnect()
        watcher.loop_stop()
    detail = f"{len(seen)} of {total} events at {_RATE} a second; median {statistics.median(seen) * 1000:.0f} ms"
    return [
        Row(name="desk, broker to browser, p95", figure=_p95(seen) * 1000, unit="ms", least=1000, aim=1000, detail=detail),
        Row(name="broker alone, p95", figure=_p95(bare) * 1000, unit="ms", detail=f"a plain subscriber beside it, {len(bare)} events"),
    ]


def _listen(client: httpx.Client, sent: dict[str, float], seen: list[float], total: int) -> None:
    with client.stream("GET", "/stream") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {") and '"call"' in line and (key := json.loads(line[6:]).get("key")) in sent:
                seen.append(time.monotonic() - sent[key])
                if len(seen) == total:
                    return


def _p95(values: list[float]) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) * 95 // 100, len(ranked) - 1)]
