"""What the page shows: how a box is at one moment, in the types of the bus, and what only who stands before it wants to know."""

import msgspec

from edge.clock import now
from edge.errors import Problem
from edge.wire.device import Health, Info, ModelChange, SelfTest, State


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A box at one moment. Nothing in it was said by anybody.

    `levels` is what each channel of each line was like in its last second, by its role: dBFS of the RMS, None for digital silence; a line
    that brings nothing has none. `tested_at` is when `selftest` was.
    """

    info: Info
    state: State
    problems: list[Problem]
    health: Health
    levels: dict[str, dict[str, float | None]]
    connected: bool
    probation: list[ModelChange]
    selftest: SelfTest | None
    tested_at: str | None
    at: str = msgspec.field(default_factory=now)
