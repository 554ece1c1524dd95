"""Many boxes in one process, as the bus sees them: the real outbox (SQLite, each commit on disk) and publisher of each; sound left out.

python -m tests.bench.fleet.boxes JOB.json: prints "alert CALL MONOTONIC" for each alert when it is committed; on a line from stdin
it lets the calls rest, waits until every outbox is empty, and prints {"told": {source: events}, "unsent": rows}.
"""

import json
import random
import sys
import threading
import time
from bisect import insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from edge.clock import rfc3339, uuid7
from edge.config import Config, LineConfig, SourceConfig
from edge.mqtt.publisher import Publisher
from edge.outbox.outbox import Outbox
from edge.values import Role, SourceState
from edge.wire.codes import BoxState
from edge.wire.device import State
from edge.wire.events import EVENTS, Alert, Event
from edge.wire.parts import Wire
from tests.bench.fleet import round_robin
from tests.bench.fleet.job import Job

# One call in three has its alert; on real lines far fewer have, but a delay needs many.
_ALERTS = 0.34
_BETWEEN_CALLS_S = (5.0, 40.0)
# Until every outbox is empty, at the end.
_DRAIN_S = 180.0


class CallJob(Job, frozen=True, kw_only=True):
    """`calls`: the events of a call, as `undertone replay --json` prints them."""

    calls: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of the recorded call: when after its start, and what."""

    after_s: float
    data: Wire
    place: str


def recorded(path: Path) -> list[Told]:
    """The call in `path`."""
    kinds = {event.kind: event for event in EVENTS}
    found = []
    for line in path.read_text().splitlines():
        event = json.loads(line)
        data = msgspec.convert(event["data"], kinds[event["type"].removeprefix("undertone.").removesuffix(".v1")])
        place = f"alert/{data.route}" if isinstance(data, Alert) else f"call/{data.line}/{data.kind.removeprefix('call.')}"
        found.append(Told(after_s=datetime.fromisoformat(event["time"]).timestamp(), data=data, place=place))
    began = found[0].after_s
    return sorted((replace(one, after_s=one.after_s - began) for one in found), key=lambda one: one.after_s)


class Box:
    """One: calls one after the other, as on one line."""

    def __init__(self, name: str, job: CallJob, call: list[Told], chance: random.Random) -> None:
        self.source, (site, device) = f"/undertone/{name}", name.split("/")
        line = LineConfig(name="line-1", source=SourceConfig(device="auto"), channels=(Role.CUSTOMER, Role.AGENT))
        config = Config(site=site, device=device, lines=(line,), mqtt=job.mqtt(name))
        folder = Path(job.folder) / device
        folder.mkdir()
        self.outbox = Outbox(folder / "outbox.sqlite", max_bytes=100_000_000, site=site, device=device)
        self.publisher = Publisher(config, self.outbox, lambda request: request.done())
        self._call, self._chance = call, chance

    def start(self) -> None:
        """Connect, and say how it is."""
        self.publisher.start()
        self.publisher.publish_state(
            State(state=BoxState.ONLINE, boot=self.outbox.boot, since=None, reasons=[], lines={"line-1": SourceState.UP})
        )

    def calls(self, at: float) -> Iterator[tuple[float, Told, str]]:
        """What is due when (monotonic), of which call, from `at` on, for ever."""
        while True:
            name, alerts = uuid7(), self._chance.random() < _ALERTS
            for told in self._call:
                if not isinstance(told.data, Alert) or alerts:
                    yield at + told.after_s, told, name
            at += self._call[-1].after_s + self._chance.uniform(*_BETWEEN_CALLS_S)


def _of(told: Told, call: str) -> Event:
    now = datetime.now(UTC)
    data = msgspec.structs.replace(told.data, call=call)
    identity = f"{call}:{data.kind.removeprefix('call.')}:{getattr(data, 'n', None) or getattr(data, 'revision', 1)}"
    if isinstance(data, Alert):
        until = {"page_until": rfc3339(now + timedelta(minutes=15)), "answerable_until": rfc3339(now + timedelta(days=14))}
        data = msgspec.structs.replace(data, alert=f"{call}:alert", opened_at=rfc3339(now), updated_at=rfc3339(now), **until)
    return Event(id=identity, topic=told.place, time=rfc3339(now), data=data, alert_lane=isinstance(data, Alert))


def _when(due: tuple[float, Told, str, int]) -> float:
    return due[0]


def main(path: str) -> None:
    """Run until a line comes on stdin."""
    round_robin.install()
    job = msgspec.json.decode(Path(path).read_bytes(), type=CallJob)
    chance, call = random.Random(job.seed), recorded(Path(job.calls))
    boxes = [Box(name, job, call, chance) for name in job.boxes]
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), ending.set()), daemon=True).start()
    for box in boxes:
        box.start()
        ending.wait(0.01)
    print("ready", flush=True)
    told: Counter[str] = Counter()
    running = [box.calls(time.monotonic() + chance.uniform(0, call[-1].after_s)) for box in boxes]
    heap = [(*next(calls), number) for number, calls in enumerate(running)]
    heap.sort(key=_when)
    while not ending.wait(max(0.0, heap[0][0] - time.monotonic())):
        _, due, name, number = heap[0]
        event = _of(due, name)
        boxes[number].outbox.put([event])
        told[boxes[number].source] += 1
        if isinstance(event.data, Alert) and event.data.revision == 1:
            print("alert", name, time.monotonic(), flush=True)
        heap.pop(0)
        insort(heap, (*next(running[number]), number), key=_when)
    give_up = time.monotonic() + _DRAIN_S
    while (unsent := sum(box.outbox.counts().rows for box in boxes)) and time.monotonic() < give_up:
        time.sleep(0.2)
    print(json.dumps({"told": told, "unsent": unsent}), flush=True)
    for box in boxes:
        box.publisher.stop(5)
        box.outbox.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
