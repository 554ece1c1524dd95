"""One bundle to many boxes: sent in pieces, canaries first, then wave by wave, and no further than they are content."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain, zip_longest
from typing import Protocol

import msgspec

from convert.fleet.fleet import Box, Fleet
from convert.fleet.stage import BAD, SERVES, Stage
from edge.values import ModelKind
from edge.wire.commands import ModelInstall

# In base64 and with its envelope under what a box takes at once (400,000 bytes).
CHUNK_BYTES = 262_144
# How far a sender may be ahead of a box's last word, which comes every 1 MB: a box holds 32 chunks.
_AHEAD_BYTES = 2_000_000
# A chunk is on the box's disk within a second; after this, then after twice as long, it is sent again from where the box was.
_AGAIN_S = 10.0
# One box in ten has a full disk or a pinned model, or sleeps; more of them are no chance, and the rest stays as it is.
_MOST_BAD = 0.1


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


class Bus(Protocol):
    """The connection to the boxes, as `Fleet` is one."""

    connections: int

    @property
    def room(self) -> bool:
        """Whether it takes more now."""

    def send(self, box: Box, body: bytes) -> None:
        """A chunk to a box."""

    def news(self, wait_s: float) -> list[tuple[Box, dict[str, object]]]:
        """What boxes say of their models."""


class Watcher(Protocol):
    """Who is told how it goes."""

    def begins(self, title: str, group: Sequence[Box]) -> None:
        """The model goes to these now."""

    def news(self, box: Box) -> None:
        """Something is new about a box."""

    def ends(self, title: str, group: Sequence[Box]) -> None:
        """Each of them is where it should be, or will not be."""


class Rollout:
    """Sends `parcel` to `boxes` in their order."""

    def __init__(
        self, fleet: Bus, parcel: Parcel, boxes: Sequence[Box], watcher: Watcher, *,
        silent_s: float = 120.0, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._fleet, self._parcel, self._boxes, self._watcher = fleet, parcel, list(boxes), watcher
        self._silent_s, self._clock = silent_s, clock
        self._connections = fleet.connections

    def run(self, canaries: int, *, wait_s: float, wave: int = 0, until_kept: bool = False) -> bool:
        """Canaries first, until each has kept the model; then waves (0: all at once), until it serves there. Whether all is well.

        A canary that refuses it, rolls it back, or says nothing within `wait_s` ends the rollout, as do too many of those after
        them: the rest stay as they are. `until_kept`: after the last wave, until it is kept everywhere.
        """
        first, rest = self._boxes[:canaries], self._boxes[canaries:]
        for box in first:
            box.canary = True
        if first and not self._bring("canaries", first, frozenset({Stage.KEPT}), wait_s):
            return False
        size = wave or max(len(rest), 1)
        groups = [rest[at : at + size] for at in range(0, len(rest), size)]
        for number, group in enumerate(groups, 1):
            self._bring(f"wave {number} of {len(groups)}", group, SERVES, wait_s)
            had = self._boxes[: canaries + number * size]
            if sum(box.stage in BAD for box in had) > len(had) * _MOST_BAD:
                return False
        if until_kept:
            self._until(rest, frozenset({Stage.KEPT}), wait_s)
        return not any(box.stage in BAD for box in self._boxes)

    def _bring(self, title: str, group: Sequence[Box], good: frozenset[Stage], wait_s: float) -> bool:
        """Send it to a group; whether each is well then."""
        self._watcher.begins(title, group)
        for box in group:
            box.stage = Stage.SENDING
            self._watcher.news(box)
        self._until(group, good, wait_s)
        self._watcher.ends(title, group)
        return not any(box.stage in BAD for box in group)

    def _until(self, group: Sequence[Box], good: frozenset[Stage], wait_s: float) -> None:
        """Until each box of the group is where it should be, or will not be."""
        until = self._clock() + wait_s
        mine = set(map(id, self._boxes))
        while open_ones := [box for box in group if box.stage not in good | BAD]:
            if self._connections != self._fleet.connections:
                self._ask_again(open_ones)
            for box in open_ones:
                self._push(box)
                self._look_at(box, until)
            for box, data in self._fleet.news(0.5):
                if data.get("transfer") == self._parcel.sha256 and id(box) in mine:
                    self._take(box, data)

    def _ask_again(self, boxes: Iterable[Box]) -> None:
        """What they said while we were away was not heard: who is given the beginning once more tells how it stands."""
        self._connections = self._fleet.connections
        for box in boxes:
            box.stage, box.have, box.sent, box.asked_at = Stage.SENDING, 0, 0, None

    def _push(self, box: Box) -> None:
        """Send the box what it may be sent now."""
        if box.stage != Stage.SENDING:
            return
        if box.sent > box.have and self._clock() - box.last_at > _AGAIN_S * 2**box.tries:
            # A box that was not there loses what was sent; it tells from where to go on.
            box.sent, box.tries, box.again = box.have, box.tries + 1, box.again + 1
        while self._fleet.room and box.sent < len(self._parcel.data) and (box.sent == box.have or self._may_go_on(box)):
            offset, box.last_at = box.sent, self._clock()
            box.asked_at = box.asked_at or box.last_at
            box.sent = min(offset + CHUNK_BYTES, len(self._parcel.data))
            self._fleet.send(box, self._parcel.chunk(offset))

    @staticmethod
    def _may_go_on(box: Box) -> bool:
        """The first chunk is answered, which may say that the box has more already; then so far ahead and no further."""
        return box.have > 0 and box.sent - box.have < _AHEAD_BYTES

    def _look_at(self, box: Box, until: float) -> None:
        now = self._clock()
        # Silent is who was asked: in a large fleet it may be long until a box's turn comes.
        if box.stage == Stage.SENDING and box.asked_at is not None and now - box.asked_at > self._silent_s:
            box.stage, box.reason = Stage.SILENT, f"no answer within {self._silent_s:.0f} s"
        elif now > until:
            box.stage, box.reason = Stage.SILENT, f"no verdict in time; it is still {box.stage}"
        else:
            return
        self._watcher.news(box)

    def _take(self, box: Box, data: Mapping[str, object]) -> None:
        """What a box says about this very transfer."""
        box.last_at, box.tries = self._clock(), 0
        figures = msgspec.convert(data["figures"], dict[str, float])
        if data["action"] == "receiving":
            box.have = int(figures["offset"])
            box.sent = max(box.have, box.sent if box.sent - box.have < _AHEAD_BYTES else 0)
        else:
            box.stage = msgspec.convert(data["action"], Stage)
            box.have = len(self._parcel.data) if box.stage in SERVES or box.stage == Stage.INSTALLED else box.have
            box.reason, box.figures = msgspec.convert(data["reason"], str | None), figures
        box.asked_at = box.last_at if box.sent > box.have else None
        self._watcher.news(box)


def last_words(fleet: Fleet, boxes: Sequence[Box], version: str, wait_s: float) -> None:
    """Until the `info` of each box that serves the new model names it, or `wait_s` is over."""
    until = time.monotonic() + wait_s
    while any(box.stage in SERVES and box.serves != version for box in boxes) and (left := until - time.monotonic()) > 0:
        fleet.news(left)


def share_of(wanted: str, boxes: int) -> int:
    """How many boxes `wanted` means: `5%` of them, rounded up, or a number. Raises ValueError."""
    count = -(-boxes * float(wanted[:-1]) // 100) if wanted.endswith("%") else int(wanted)
    if count < 0:
        raise ValueError(wanted)
    return min(int(count), boxes)


def chosen(boxes: Iterable[Box], wanted: Sequence[str]) -> Iterator[Box]:
    """Those whose devices match one of the patterns, by name; of several sites one of each by turns, so that canaries are of all."""
    sites: dict[str, list[Box]] = {}
    for box in sorted(boxes, key=lambda box: (box.site, box.device)):
        if any(fnmatchcase(box.device, pattern) for pattern in wanted):
            sites.setdefault(box.site, []).append(box)
    return (box for box in chain.from_iterable(zip_longest(*sites.values())) if box is not None)
