"""What `undertone status` reads: the box's state and health in one file of its state directory, written each second."""

import logging
from pathlib import Path

import msgspec

from edge.box.clock import now
from edge.bus.events import Health, State

_log = logging.getLogger("undertone.status")

FILE = "status.json"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The file. `bus_problem` is what is wrong with the broker, None where nothing is."""

    state: State
    health: Health
    connected: bool
    bus_problem: str | None
    written_at: str


def write(folder: Path, *, state: State, health: Health, connected: bool, bus_problem: str | None) -> None:
    """Write the file. To a sibling that is renamed, so it is never half there; a disk that takes nothing is logged."""
    status = Status(state=state, health=health, connected=connected, bus_problem=bus_problem, written_at=now())
    part = folder / f"{FILE}.part"
    try:
        part.write_bytes(msgspec.json.encode(status))
        part.replace(folder / FILE)
    except OSError as error:
        _log.warning("status.unwritten error=%s", error)
