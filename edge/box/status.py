"""What `undertone status` reads: the box's state and health in one file of its state directory, written each second."""

import logging
import time
from pathlib import Path

import msgspec

from edge.box.clock import now
from edge.bus.device import Health, State

_log = logging.getLogger("undertone.status")

FILE = "status.json"
# It is written each second; on a box that is very busy a little later.
_FRESH_S = 5.0


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


def read_fresh(folder: Path) -> Status | None:
    """What a service that runs now wrote last; None where none does."""
    try:
        age_s = time.time() - (folder / FILE).stat().st_mtime
        status = msgspec.json.decode((folder / FILE).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return None
    return status if age_s < _FRESH_S and status.state.state != "stopped" else None
