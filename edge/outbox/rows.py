"""A row of the outbox: one event to publish, and whether it is still as it was written."""

import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edge.outbox.sqlite import DamageError
from edge.wire.topics import GAP

# Events in the alerts' lane go first.
ALERTS, REST = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event to publish: `body` is its CloudEvent. `age_s`: since it was put. `lifetime_s`: see envelope.lifetime_s."""

    row: int
    id: str
    topic: str
    alert_lane: bool
    sequence: int
    age_s: float
    lifetime_s: float | None
    body: bytes


def machine_uptime() -> float:
    """Seconds since the machine was started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoilt:
    """A row that is not as it was written, but for the number that it had."""

    row: int
    topic: str
    sequence: int


def label_checksum(id_: str, topic: str, sequence: int) -> int:
    """SQLite does not see a flipped bit inside a value. This one vouches for which event a row is, whatever has become of the rest."""
    return zlib.crc32(f"{id_} {topic} {sequence}".encode(errors="surrogatepass"))


def checksum(body: bytes, label: int) -> int:
    """Vouches for the body, and for the label whose checksum is given."""
    return zlib.crc32(body, label)


# What `read_row` takes, in its order.
COLUMNS = "row, id, topic, lane, sequence, boot, uptime, wall, lifetime, body, label_crc, crc"


def read_row(columns: tuple[Any, ...], *, uptime: float, boot: int) -> Row | Spoilt:
    """The row whose `COLUMNS` these are, at `uptime` seconds of the machine and in this `boot` of the box.

    Raises DamageError where nobody could say what is missing: nothing vouches for which event it was, or it was itself a gap.
    """
    row, id_, topic, lane, sequence, its_boot, its_uptime, wall, lifetime, body, label_crc, crc = columns
    label = label_checksum(id_, topic, sequence)
    # SQLite keeps whatever type it finds in a damaged file.
    whole = isinstance(body, bytes) and crc == checksum(body, label)
    if not whole and (label_crc != label or topic == GAP):
        raise DamageError(f"event {row} is not as it was written")
    typed = isinstance(its_uptime, float) and isinstance(wall, float) and isinstance(lifetime, float | None) and lane in {ALERTS, REST}
    if not whole or not typed:
        return Spoilt(row=row, topic=topic, sequence=sequence)
    # Within one life of the process the wall clock may jump; uptime does not.
    age = max(uptime - its_uptime if its_boot == boot else time.time() - wall, 0.0)
    return Row(row=row, id=id_, topic=topic, alert_lane=lane == ALERTS, sequence=sequence, age_s=age, lifetime_s=lifetime, body=body)


def ranges(rows: Iterable[tuple[int, str, int]]) -> Iterator[tuple[str, int, int]]:
    """Topic, first and last number of each unbroken stretch in `rows` (row, topic, sequence), which are in order within a topic."""
    found: dict[str, list[list[int]]] = {}
    for _, topic, sequence in rows:
        stretches = found.setdefault(topic, [])
        if stretches and stretches[-1][1] == sequence - 1:
            stretches[-1][1] = sequence
        else:
            stretches.append([sequence, sequence])
    yield from ((topic, first, last) for topic, stretches in found.items() for first, last in stretches)
