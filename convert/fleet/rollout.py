"""One bundle to many boxes: sent in pieces, canaries first, and no further than they are content."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import msgspec

from convert.fleet.stage import BAD, SERVES, Stage
from edge.config import MqttConfig
from edge.errors import BusError
from edge.models.kinds import ROWS
from edge.mqtt.incoming import Acknowledged, LinkEvent, Lost, Message
from edge.mqtt.link import Link
from edge.values import ModelKind
from edge.wire.arrivals import decode
from edge.wire.commands import ModelInstall
from edge.wire.topics import COMMAND_PREFIX

# In base64 and with its envelope under what a box takes at once (400,000 bytes).
CHUNK_BYTES = 262_144
# How far a sender may be ahead of a box's last word, which comes every 1 MB: a box holds 32 chunks.
_AHEAD_BYTES = 2_000_000
# A chunk is on the box's disk within a second; after this it is sent again from where the box was.
_AGAIN_S = 10.0
# Retained messages come at once after SUBACK; a broker far away needs a moment.
_GATHER_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is sent: a packed bundle."""

    kind: ModelKind
    label: str
    version: str
    sha256: str
    data: bytes = field(repr=False)
    expires_at: str | None

    def chunk(self, offset: int) -> bytes:
        """The command that carries the bytes from `offset` on."""
        data = self.data[offset : offset + CHUNK_BYTES]
        size, until = len(self.data), self.expires_at
        return msgspec.json.encode(ModelInstall(model=self.kind, sha256=self.sha256, size=size, offset=offset, data=data, expires_at=until))


@dataclass(slots=True, kw_only=True)
class Box:
    """One box: how far it is. `serves` is the version that its `info` names."""

    name: str
    state: str
    serves: str | None
    stage: Stage = Stage.WAITING
    canary: bool = False
    reason: str | None = None
    have: int = 0
    sent: int = 0
    heard_at: float = 0.0
    sent_at: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)


class Site:
    """The boxes of a site as the broker knows them, over one connection. Raises BusError where that is lost."""

    def __init__(self, config: MqttConfig, site: str, kind: ModelKind, *, client_id: str) -> None:
        self._config, self._prefix, self._site, self._kind = config, f"{config.prefix}/{site}/", site, kind
        self._inbox: SimpleQueue[LinkEvent] = SimpleQueue()
        self._link = Link(config, client_id=client_id, inbox=self._inbox)
        self._window, self._unanswered = 0, set[int]()
        self.boxes: dict[str, Box] = {}

    def open(self) -> None:
        """Connect, and find the boxes by what they have said of themselves."""
        self._window = self._link.open().window
        self._link.subscribe(*(f"{self._prefix}+/{topic}" for topic in ("info", "state", "model")))
        until = time.monotonic() + _GATHER_S
        while (left := until - time.monotonic()) > 0:
            self.news(left)

    def close(self) -> None:
        """Say goodbye."""
        self._link.goodbye()
        self._link.close()

    @property
    def room(self) -> bool:
        """Whether the broker takes more now."""
        return len(self._unanswered) < self._window

    def send(self, box: str, body: bytes) -> None:
        """A model's chunk to a box."""
        mid = self._link.publish(f"{COMMAND_PREFIX}/{self._site}/{box}/model/install", body)
        if mid is None:
            raise BusError("connection lost", where=self._config.url, remedy="give the same command again, it goes on where it was")
        self._unanswered.add(mid)

    def last_words(self, boxes: Sequence[Box], version: str, wait_s: float) -> None:
        """Until the `info` of each box that serves the new model names it, or `wait_s` is over."""
        until = time.monotonic() + wait_s
        while any(box.stage in SERVES and box.serves != version for box in boxes) and (left := until - time.monotonic()) > 0:
            self.news(left)

    def news(self, wait_s: float) -> tuple[Box, dict[str, object]] | None:
        """The next thing that a box says of its models within `wait_s`; None if it is something else, or nothing."""
        try:
            heard = self._inbox.get(timeout=max(wait_s, 0.001))
        except Empty:
            return None
        match heard:
            case Acknowledged(mid=mid, refusal=refusal):
                self._unanswered.discard(mid)
                if refusal is not None:
                    raise BusError(
                        f"{COMMAND_PREFIX}/# refused ({refusal})",
                        where=self._config.url,
                        remedy="let this user write there in the broker's ACL",
                    )
            case Lost():
                raise BusError(str(heard), where=self._config.url, remedy="give the same command again, it goes on where it was")
            case Message(topic=topic, payload=payload):
                return self._message(topic, payload)
        return None

    def _message(self, topic: str, payload: bytes) -> tuple[Box, dict[str, object]] | None:
        name, _, what = topic.removeprefix(self._prefix).partition("/")
        event = decode(payload)
        if isinstance(event, str):
            return None
        box = self.boxes.setdefault(name, Box(name=name, state="unknown", serves=None))
        data = event["data"]
        if what == "state":
            box.state = data["state"]
        elif what == "info":
            model = (data["models"] or {}).get(ROWS[self._kind].part)
            box.serves = model["version"] if model else None
        elif what == "model":
            return box, data
        return None


class Rollout:
    """Sends `parcel` to `boxes` in their order. `show` is called with a box whenever something is new about it."""

    def __init__(self, site: Site, parcel: Parcel, boxes: Sequence[Box], show: Callable[[Box], None], *, silent_s: float = 120.0) -> None:
        self._site, self._parcel, self._boxes, self._show, self._silent_s = site, parcel, list(boxes), show, silent_s

    def run(self, canaries: int, *, wait_s: float, until_kept: bool = False) -> bool:
        """Canaries first, until each has kept the model; then the rest, until it serves there. Whether all is well.

        A canary that refuses it, rolls it back, or says nothing within `wait_s` ends the rollout: the rest stay as they are.
        """
        first, rest = self._boxes[:canaries], self._boxes[canaries:]
        for box in first:
            box.canary = True
        for group, kept in ((first, True), (rest, until_kept)):
            self._bring(group, frozenset({Stage.KEPT}) if kept else SERVES, wait_s)
            if any(box.stage in BAD for box in group) and group is first:
                return False
        return not any(box.stage in BAD for box in self._boxes)

    def _bring(self, group: Sequence[Box], good: frozenset[Stage], wait_s: float) -> None:
        """Until each box of the group is where it should be, or will not be."""
        began = time.monotonic()
        for box in group:
            box.stage, box.heard_at = Stage.SENDING, began
            self._show(box)
        while open_ones := [box for box in group if box.stage not in good | BAD]:
            for box in open_ones:
                self._push(box)
                self._look_at(box, began + wait_s)
            news = self._site.news(0.5)
            if news is not None and news[1].get("transfer") == self._parcel.sha256 and news[0] in self._boxes:
                self._take(*news)

    def _push(self, box: Box) -> None:
        """Send the box what it may be sent now."""
        if box.stage != Stage.SENDING:
            return
        if box.sent > box.have and time.monotonic() - max(box.heard_at, box.sent_at) > _AGAIN_S:
            # A box that was not there loses what was sent; it tells from where to go on.
            box.sent = box.have
        while self._site.room and box.sent < len(self._parcel.data) and (box.sent == box.have or self._may_go_on(box)):
            self._site.send(box.name, self._parcel.chunk(box.sent))
            box.sent, box.sent_at = min(box.sent + CHUNK_BYTES, len(self._parcel.data)), time.monotonic()

    @staticmethod
    def _may_go_on(box: Box) -> bool:
        """The first chunk is answered, which may say that the box has more already; then so far ahead and no further."""
        return box.have > 0 and box.sent - box.have < _AHEAD_BYTES

    def _look_at(self, box: Box, until: float) -> None:
        now = time.monotonic()
        if box.stage == Stage.SENDING and now - box.heard_at > self._silent_s:
            box.stage, box.reason = Stage.SILENT, f"no answer within {self._silent_s:.0f} s"
        elif now > until:
            box.stage, box.reason = Stage.SILENT, f"no verdict in time; it is still {box.stage}"
        else:
            return
        self._show(box)

    def _take(self, box: Box, data: Mapping[str, object]) -> None:
        """What a box says about this very transfer."""
        box.heard_at = time.monotonic()
        figures = msgspec.convert(data["figures"], dict[str, float])
        if data["action"] == "receiving":
            box.have = int(figures["offset"])
            box.sent = max(box.have, box.sent if box.sent - box.have < _AHEAD_BYTES else 0)
        else:
            box.stage = msgspec.convert(data["action"], Stage)
            box.have = len(self._parcel.data) if box.stage in SERVES or box.stage == Stage.INSTALLED else box.have
            box.reason, box.figures = msgspec.convert(data["reason"], str | None), figures
        self._show(box)


def canary_count(wanted: str, boxes: int) -> int:
    """How many boxes go first: `5%` of them, rounded up, or a number. Raises ValueError."""
    count = -(-boxes * float(wanted[:-1]) // 100) if wanted.endswith("%") else int(wanted)
    if count < 0:
        raise ValueError(wanted)
    return min(int(count), boxes)


def chosen(boxes: Mapping[str, Box], wanted: Sequence[str]) -> Iterator[Box]:
    """The boxes whose names match one of the patterns, by name."""
    from fnmatch import fnmatchcase

    for name in sorted(boxes):
        if any(fnmatchcase(name, pattern) for pattern in wanted):
            yield boxes[name]
