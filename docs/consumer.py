"""A consumer that keeps each event once and proves from the numbers alone that it has all of them.

    python docs/consumer.py mqtt://127.0.0.1:1883            prints each event once; at Ctrl-C, what is missing
    python docs/consumer.py mqtt://127.0.0.1:1883 --since 0  also counts what came before the first event that it saw
    python docs/consumer.py mqtts://broker.example --user recovery --password-file pw.txt --ca ca.pem

Five rules are all there is to it:

1. Drop an event whose (source, id) you have seen: boxes send at least once.
2. Each topic counts its events in `sequence`. A number that is not there is missing, unless a `gap` event says that it will never
   come. A gap on topic "*" with nulls means that the box lost its store and does not know how much was in it. A box's `health` says
   up to which number each topic has come, so that the end of a topic is proved, too (what is on its way counts as missing until it came).
3. An alert is its snapshot with the highest `revision`, on whatever route it came: a graver reason of another team ends it on one
   (`moved`) and makes it `new` on the other.
4. A `reply` says what became of a command that had an `id`: accepted, or why not and what is true instead. No reply: send it again under
   the same id.
5. `erased` names calls and alerts whose customer is to be forgotten: delete what you have of them.

Needs only paho-mqtt. Copy it, and keep what it remembers (`seen`, `ranges`) in your database instead of in memory.
"""

# ruff: noqa: INP001 (a page of the docs, not a package)

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Topic:
    """The numbers that a topic has shown or announced as lost, as sorted ranges."""

    ranges: list[list[int]] = field(default_factory=list)
    # The last number that the box says it has given out.
    told: int = 0

    def add(self, first: int, last: int) -> None:
        """Numbers `first`..`last` are accounted for."""
        merged = [first, last]
        rest = []
        for low, high in self.ranges:
            if high < merged[0] - 1 or low > merged[1] + 1:
                rest.append([low, high])
            else:
                merged = [min(low, merged[0]), max(high, merged[1])]
        self.ranges = sorted([*rest, merged])

    def holes(self, since: int | None) -> list[tuple[int, int]]:
        """Ranges of numbers that neither came nor were announced, up to the last told.

        They begin at `since` + 1, or at the first number that came.
        """
        if since is None and not self.ranges:
            return []
        start = self.ranges[0][0] if since is None else since + 1
        found = []
        for low, high in self.ranges:
            if low > start:
                found.append((start, low - 1))
            start = max(start, high + 1)
        if start <= self.told:
            found.append((start, self.told))
        return found


class Consumer:
    """Feed it every event with its topic."""

    def __init__(self, since: int | None = None) -> None:
        self.since = since
        self.seen: set[tuple[str, str]] = set()
        self.topics: dict[str, Topic] = defaultdict(Topic)
        self.store_losses: list[str] = []
        # Alert id -> its newest snapshot. It takes answers until answerable_until, unless it was closed or withdrawn.
        self.alerts: dict[str, dict[str, Any]] = {}
        # Id of a command -> what became of it; it may be answered twice, and the last answer is what is true now.
        self.replies: dict[str, dict[str, Any]] = {}
        # Calls of which nothing may be kept any more.
        self.erased_calls: set[str] = set()
        # Box -> up to this number, what did not come is of unknown fate: its store was lost, and announced.
        self.unknown_to: dict[str, int] = {}

    def take(self, topic: str, event: dict[str, Any]) -> bool:
        """Whether `event` is new. A duplicate is dropped."""
        if "sequence" in event:
            self.topics[topic].add(event["sequence"], event["sequence"])
        key = (event["source"], event["id"])
        if key in self.seen:
            return False
        self.seen.add(key)
        self._learn(topic, event)
        return True

    def missing(self) -> dict[str, list[tuple[int, int]]]:
        """Topic -> ranges of numbers that are missing and unexplained. Empty: you have everything that came or was told of."""
        found = {}
        for topic, told in self.topics.items():
            floor = max((number for box, number in self.unknown_to.items() if topic.startswith(box)), default=0)
            holes = [(low, high) for low, high in told.holes(self.since) if high > floor]
            if holes:
                found[topic] = holes
        return found

    def _learn(self, topic: str, event: dict[str, Any]) -> None:
        data = event["data"]
        match event["type"].split(".")[1:-1]:
            case ["device", "health"]:
                for of, last in data.get("sequences", {}).items():
                    told = self.topics[topic.removesuffix("health") + of]
                    told.told = max(told.told, last)
            case ["device", "gap"]:
                self._gap(topic, event)
            case ["alert"]:
                self._alert(data)
            case ["reply"]:
                self.replies[data["id"]] = data
            case ["device", "erased"]:
                self.erased_calls |= set(data["calls"])
                for alert in data["alerts"]:
                    self.alerts.pop(alert, None)

    def _alert(self, data: dict[str, Any]) -> None:
        known = self.alerts.get(data["alert"])
        if data["end_reason"] == "erased":
            self.alerts.pop(data["alert"], None)
        elif known is None or data["revision"] > known["revision"]:
            self.alerts[data["alert"]] = data

    def _gap(self, topic: str, event: dict[str, Any]) -> None:
        box, data = topic.removesuffix("gap"), event["data"]
        if data["first"] is not None:
            self.topics[box + data["topic"]].add(data["first"], data["last"])
            return
        # All topics of the box go on from the number before the gap's own.
        self.unknown_to[box] = event["sequence"]
        self.store_losses.append(f"{event['source']} {data['topic']}: {data['reason']}")


def listen(url: str, prefix: str, user: str | None, password: str | None, ca: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event on the broker as (topic, CloudEvent); the session outlives us by an hour, so that a restart misses nothing."""
    import queue

    import paho.mqtt.client as mqtt
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    inbox: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="undertone-consumer", protocol=mqtt.MQTTv5, manual_ack=True)

    def connected(client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            print(f"consumer: the broker refuses: {reason}", file=sys.stderr, flush=True)
        client.subscribe(f"{prefix}/#", qos=1)

    client.on_connect = connected
    client.on_message = lambda _client, _data, message: inbox.put(message)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    where = urlsplit(url)
    if where.scheme == "mqtts":
        client.tls_set(ca)
    client.username_pw_set(user, password)
    port = where.port or (8883 if where.scheme == "mqtts" else 1883)
    client.connect(where.hostname or "127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    while True:
        message = inbox.get()
        yield message.topic, json.loads(message.payload)
        # Only now is it stored: what we are killed over comes again.
        client.ack(message.mid, message.qos)


def _file(name: str) -> str:
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"{name}: No such file")
    return name


def _text_in(name: str) -> str:
    try:
        return Path(_file(name)).read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{name}: {getattr(error, 'strerror', None) or 'no text'}") from error


def _is_a_brokers(url: str) -> bool:
    try:
        where = urlsplit(url)
        named = where.scheme in {"mqtt", "mqtts"} and where.hostname and not where.username and not where.password
        return bool(named) and (where.port is None or where.port > 0)
    except ValueError:
        return False


def main() -> int:
    """Print each event once; 1 where something is missing at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="mqtt://127.0.0.1:1883")
    parser.add_argument("--prefix", default="undertone/v1")
    parser.add_argument("--since", type=int, help="the last number that you have already (0: from the beginning)")
    parser.add_argument("--user", help="user at the broker; never in the URL, which logs show")
    parser.add_argument("--password-file", type=_text_in, help="file with the password in its first line")
    parser.add_argument("--ca", type=_file, help="the CA of an mqtts broker, PEM (default: the system's)")
    args = parser.parse_args()
    if not _is_a_brokers(args.url):
        parser.error("give mqtt://HOST[:PORT] or mqtts://HOST[:PORT], and the user by --user and --password-file")
    if args.ca and urlsplit(args.url).scheme == "mqtt":
        parser.error("--ca changes nothing without mqtts://")
    consumer = Consumer(args.since)
    try:
        for topic, event in listen(args.url, args.prefix, args.user, args.password_file, args.ca):
            if consumer.take(topic, event):
                print(json.dumps(event), flush=True)
    except KeyboardInterrupt:
        pass
    except OSError as error:
        print(
            f"consumer: {args.url}: {error.strerror or error}: does a broker listen there, and is --ca of who signed it?", file=sys.stderr
        )
        return 1
    missing = consumer.missing()
    for topic, ranges in missing.items():
        print(f"missing on {topic}: {ranges}", file=sys.stderr)
    for loss in consumer.store_losses:
        print(f"lost, nobody knows how much: {loss}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
