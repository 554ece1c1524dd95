"""Kill the broker and the box at random instants and count what a subscriber got; damage the outbox file at random."""

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.box import ALERT_EVERY
from tests.broker import Broker
from tests.chaos.table import Row, Scale
from tests.telling import Subscriber, consumer, drained, open_outbox, text, until

# What mosquitto has acknowledged and then loses by kill -9 is mosquitto's loss and is not to be measured here, so nothing may rest in
# it: it writes each message to the subscriber's socket before it acknowledges it to the box (no bound on messages in flight), keeps
# what comes while the subscriber is away, and is killed only when the subscriber is back. The subscriber takes QoS 0: its own PUBACKs,
# unread by a killed broker, would make the kernel reset the connection, and paho would throw away what it had not read yet.
_NO_REST = "max_inflight_messages 0\nqueue_qos0_messages true"
_PATIENCE_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of kills came to."""

    events: int
    broker_kills: int
    box_kills: int
    lost: int
    out_of_order: int
    duplicates: int
    numbers_with_two_ids: int
    unproven: int
    seconds: float

    @property
    def good(self) -> bool:
        return not (self.lost or self.out_of_order or self.numbers_with_two_ids or self.unproven)


def kills(folder: Path, *, events: int, broker_kills: int, box_kills: int, seed: int) -> Outcome:
    """A box (a process of its own) tells `events` events while it and its broker are killed at random instants."""
    began, chance = time.monotonic(), random.Random(seed)
    with Broker(folder, persistent=True, extra=_NO_REST) as broker, Subscriber(broker.url, qos=0) as subscriber:
        victims = ["broker"] * broker_kills + ["box"] * box_kills
        chance.shuffle(victims)
        box = _Box(folder, broker.url, 1, events)
        try:
            for number, victim in enumerate(victims, start=1):
                goal = events * number // (len(victims) + 1)
                box.reach(chance.randint(min(box.committed, goal), goal))
                if victim == "box":
                    box = _Box(folder, broker.url, box.kill() + 1, events)
                else:
                    # What the broker holds for a subscriber that is not back yet dies with the broker: see _NO_REST.
                    assert subscriber.subscribed.wait(_PATIENCE_S)
                    broker.kill()
                    # Its thread may not have noticed yet.
                    subscriber.subscribed.clear()
                    broker.start()
            box.finish()
        finally:
            box.kill()
        until(lambda: any(event["id"] == f"c1:text:line-{events % 2 + 1}:{events}" for event in subscriber.events()), _PATIENCE_S)
        until(subscriber.subscribed.is_set, _PATIENCE_S)
        return _count(subscriber, events, broker_kills, box_kills, time.monotonic() - began)


class _Box:
    """tests.box in a process; a thread reads which events it has committed."""

    def __init__(self, folder: Path, url: str, first: int, last: int) -> None:
        self.committed = first - 1
        command = [sys.executable, "-m", "tests.box", str(folder), url, str(first), str(last - first + 1)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def reach(self, number: int) -> None:
        until(lambda: self.committed >= number or self._process.poll() is not None, _PATIENCE_S)

    def kill(self) -> int:
        """kill -9; returns the last number that is known to be committed."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        return self.committed

    def finish(self) -> None:
        self._process.wait(_PATIENCE_S)
        self._reader.join()
        assert self._process.returncode == 0

    def _read(self) -> None:
        for line in self._process.stdout:
            self.committed = int(line)


def _count(subscriber: Subscriber, events: int, broker_kills: int, box_kills: int, seconds: float) -> Outcome:
    prove, ids, order = consumer()(since=0), defaultdict(set), defaultdict(list)
    told = [(topic, event) for topic, event, _ in list(subscriber.messages) if "sequence" in event]
    for topic, event in told:
        ids[topic, event["sequence"]].add(event["id"])
        if prove.take(topic, event):
            order[topic].append(event["sequence"])
    wanted = {f"c1:text:line-{n % 2 + 1}:{n}" for n in range(1, events + 1)}
    wanted |= {f"c1:alert:{n}" for n in range(1, events // ALERT_EVERY + 1)}
    arrived = Counter(event["id"] for _, event in told)
    return Outcome(
        events=len(wanted),
        broker_kills=broker_kills,
        box_kills=box_kills,
        lost=len(wanted - arrived.keys()),
        out_of_order=sum(later < earlier for numbers in order.values() for earlier, later in itertools.pairwise(numbers)),
        duplicates=arrived.total() - len(arrived),
        numbers_with_two_ids=sum(len(names) > 1 for names in ids.values()),
        unproven=sum(len(ranges) for ranges in prove.missing().values()),
        seconds=seconds,
    )


def damaged_files(folder: Path, *, count: int, seed: int) -> dict[str, int]:
    """Random bytes of an outbox file of 100 events written over, `count` times: what became of it, and how often.

    Each event must come out, or be announced as lost.
    """
    chance, came_to = random.Random(seed), Counter()
    for number in range(count):
        home = folder / str(number)
        outbox = open_outbox(home)
        outbox.put([text(n) for n in range(100)])
        outbox.close()
        path = home / "outbox.sqlite"
        content = bytearray(path.read_bytes())
        for _ in range(chance.choice((1, 8, 512))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
        outbox = open_outbox(home)
        outbox.put([text(1000)])
        told = drained(outbox)
        outbox.close()
        came_to[_became(told, aside=(home / "outbox.sqlite.damaged").exists())] += 1
    return dict(came_to)


def _became(told: list[dict], *, aside: bool) -> str:
    gaps = [event["data"] for event in told if event["type"] == "undertone.device.gap.v1"]
    if aside:
        assert "store_damaged" in {gap["reason"] for gap in gaps}
        return "set aside, announced"
    lost = sum(gap["lost"] for gap in gaps)
    assert len({event["id"] for event in told} - {f"c1:text:line-1:{n}" for n in range(100)}) == 1 + len(gaps)
    assert len(told) - len(gaps) - 1 + lost == 100
    return "lost the damaged events alone, announced" if lost else "went on"


def section(folder: Path, scale: Scale) -> Iterator[Row]:
    """The kills and the damaged files as rows of the table."""
    events, each, files = scale.of(10_000, 200), scale.of(100, 2), scale.of(200, 10)
    run = kills(folder, events=events, broker_kills=each, box_kills=each, seed=scale.seed)
    yield Row(
        fault="broker and box killed (`kill -9`)",
        done=f"{run.events:,} events, {run.broker_kills} broker kills and {run.box_kills} box kills at random instants, real mosquitto",
        result=f"{run.lost} lost, {run.out_of_order} out of order within a topic, {run.duplicates} duplicates, all with equal ids"
        f" ({run.numbers_with_two_ids} numbers with two), {run.unproven} ranges unproven",
        good=run.good,
    )
    came_to = damaged_files(folder / "damaged", count=files, seed=scale.seed)
    says = ", ".join(f"{count} {what}" for what, count in sorted(came_to.items()))
    yield Row(
        fault="outbox file damaged",
        done=f"{files} files with random bytes written over or cut off",
        result=f"{says}; 0 crashes",
        good=sum(came_to.values()) == files,
    )
