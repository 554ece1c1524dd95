"""The boxes of some sites as their broker knows them, over one connection that comes back."""

import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from queue import Empty, SimpleQueue

from convert.fleet.stage import Stage
from edge.config import MqttConfig
from edge.errors import BusError
from edge.models.kinds import ROWS
from edge.mqtt.incoming import Acknowledged, LinkEvent, Lost, Message, Reason, Subscribed
from edge.mqtt.link import Link
from edge.values import ModelKind
from edge.wire.arrivals import decode
from edge.wire.topics import COMMAND_PREFIX

# Retained messages come one upon the other; a broker far away, or a cluster that looks them up, needs a moment between two.
_QUIET_S = 1.5
# From SUBSCRIBE to the last retained message: a cluster elects its consumers first. 1,000 boxes took 4 s.
_GATHER_S = 60.0
# A broker that is restarted, or a node that dies, is back or replaced within this; then it is for a person to look at.
_AWAY_S = 600.0
# A cluster that is short of processors refuses what it grants a moment later, in the words of an access list (MQTT 3.1.1 has one word).
_GRANT_S = 60.0
# Of MQTT 5: the one refusal that is an access list's for sure.
_NOT_AUTHORIZED = 0x87
# The most between two tries to come back.
_RETRY_S = 10.0
_AGAIN = "give the same command again, it goes on where it was"
# What makes a name a pattern (fnmatch).
_PATTERN = frozenset("*?[")


@dataclass(slots=True, kw_only=True, eq=False)
class Box:
    """One box: how far it is. `serves` is the version that its `info` names; times are monotonic seconds.

    name: `device`, or `site/device` where several sites are meant. have, sent: bytes. asked_at: since when it owes an answer.
    tries: how often the same was sent since it spoke last. again: how often in all.
    """

    site: str
    device: str
    name: str
    state: str = "unknown"
    serves: str | None = None
    stage: Stage = Stage.WAITING
    canary: bool = False
    reason: str | None = None
    have: int = 0
    sent: int = 0
    asked_at: float | None = None
    last_at: float = 0.0
    tries: int = 0
    again: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)


class Fleet:
    """The boxes of `sites` (names, or patterns with *). Raises BusError where the broker is away, or refuses, for long.

    `connections` counts those on which boxes are heard: what they said between two was not.
    """

    def __init__(self, config: MqttConfig, sites: Sequence[str], kind: ModelKind, *, client_id: str) -> None:
        self._config, self._sites, self._kind, self._client_id = config, sites, kind, client_id
        self._several = len(sites) > 1 or bool(_PATTERN & set(sites[0]))
        self._window, self._unanswered = 0, set[int]()
        self._subscribed, self._retained_at = False, 0.0
        # Since when nothing is heard, and how often it was tried to come back.
        self._lost_at: float | None = None
        self._tries = 0
        self.boxes: dict[tuple[str, str], Box] = {}
        self.connections = 0

    def open(self) -> None:
        """Connect, and find the boxes by what they have said of themselves."""
        self._connect()
        while (now := time.monotonic()) < self._connected_at + _GATHER_S and not (self._subscribed and now > self._retained_at + _QUIET_S):
            self.news(0.1)
        if not self._subscribed:
            raise BusError(f"no answer to a subscription within {_GATHER_S:.0f} s", where=self._config.url, remedy="see the broker's log")

    def close(self) -> None:
        """Say goodbye."""
        self._link.goodbye()
        self._link.close()

    @property
    def room(self) -> bool:
        """Whether the broker takes more now."""
        return len(self._unanswered) < self._window

    def send(self, box: Box, body: bytes) -> None:
        """A model's chunk to a box; lost where the connection is."""
        mid = self._link.publish(f"{COMMAND_PREFIX}/{box.site}/{box.device}/model/install", body)
        if mid is None:
            self._come_back(self._gone("connection lost"))
        else:
            self._unanswered.add(mid)

    def news(self, wait_s: float) -> list[tuple[Box, dict[str, object]]]:
        """What boxes say of their models: all that is there, or comes first within `wait_s`."""
        found: list[tuple[Box, dict[str, object]]] = []
        try:
            heard = self._inbox.get(timeout=wait_s)
            while True:
                self._hear(heard, found)
                heard = self._inbox.get_nowait()
        except Empty:
            return found

    def _connect(self) -> None:
        self._inbox: SimpleQueue[LinkEvent] = SimpleQueue()
        self._unanswered.clear()
        self._subscribed = False
        self._link = Link(self._config, client_id=self._client_id, inbox=self._inbox)
        self._window = self._link.open().window
        sites = ["+"] if any(_PATTERN & set(site) for site in self._sites) else self._sites
        topics = [f"{self._config.prefix}/{site}/+/{topic}" for site in sites for topic in ("info", "state", "model")]
        self._link.subscribe(*topics)
        self._connected_at = time.monotonic()

    def _come_back(self, why: BusError) -> None:
        """Connect anew, again and again for a while. Raises `why`."""
        self._link.close()
        self._lost_at = self._lost_at or time.monotonic()
        until = self._lost_at + (_AWAY_S if self.connections else _GRANT_S)
        while time.monotonic() < until:
            # Full jitter: one of many who lost the same broker at the same moment.
            time.sleep(random.uniform(0.0, min(2.0**self._tries, _RETRY_S)))  # noqa: S311
            self._tries += 1
            with suppress(BusError):
                self._connect()
                return
        raise why

    def _gone(self, why: str) -> BusError:
        return BusError(why, where=self._config.url, remedy=_AGAIN)

    def _hear(self, heard: LinkEvent, found: list[tuple[Box, dict[str, object]]]) -> None:
        match heard:
            case Acknowledged(mid=mid, refusal=refusal):
                self._unanswered.discard(mid)
                if refusal is not None:
                    raise BusError(
                        f"{COMMAND_PREFIX}/# refused ({refusal})",
                        where=self._config.url,
                        remedy="let this user write there in the broker's ACL",
                    )
            case Subscribed(refusal=Reason() as refusal):
                why = BusError(
                    f"{self._config.prefix}/# refused ({refusal})",
                    where=self._config.url,
                    remedy="let this user read info, state and model there in the broker's ACL",
                )
                if refusal.code == _NOT_AUTHORIZED and not self.connections:
                    raise why
                # Or a cluster that has lost a node, or is slow, has yet to elect who leads.
                self._come_back(why)
            case Subscribed():
                self._subscribed, self._retained_at = True, time.monotonic()
                self._lost_at, self._tries = None, 0
                self.connections += 1
            case Lost():
                self._come_back(self._gone(str(heard)))
            case Message(topic=topic, payload=payload, retained=retained):
                if retained:
                    self._retained_at = time.monotonic()
                if (said := self._message(topic, payload)) is not None:
                    found.append(said)

    def _message(self, topic: str, payload: bytes) -> tuple[Box, dict[str, object]] | None:
        site, device, what = topic.removeprefix(f"{self._config.prefix}/").split("/", 2)
        event = decode(payload)
        if isinstance(event, str) or not any(fnmatchcase(site, one) for one in self._sites):
            return None
        box = self.boxes.get((site, device))
        if box is None:
            box = self.boxes[site, device] = Box(site=site, device=device, name=f"{site}/{device}" if self._several else device)
        data = event["data"]
        if what == "state":
            box.state = data["state"]
        elif what == "info":
            model = (data["models"] or {}).get(ROWS[self._kind].part)
            box.serves = model["version"] if model else None
        elif what == "model":
            return box, data
        return None
