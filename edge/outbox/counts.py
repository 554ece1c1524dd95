"""What is in the outbox, counted: for the box itself, and for who looks on beside it."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import StoreError
from edge.outbox.sqlite import ERRORS, Connection, look


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is in the outbox. `held`: events that the disk did not take yet; `evicted`, `commits`: since the start.

    `sequences`: of each topic the last number given out.
    """

    rows: int
    alert_rows: int
    oldest_s: float | None
    held: int = 0
    evicted: int = 0
    commits: int = 0
    sequences: Mapping[str, int] = field(default_factory=dict)


def count(db: Connection) -> Counts:
    """What is in an open file."""
    rows, alert_rows, oldest = db.execute("SELECT COUNT(*), COALESCE(SUM(lane = 0), 0), MIN(wall) FROM events").fetchone()
    sequences = dict(db.execute("SELECT topic, last FROM sequences ORDER BY topic"))
    oldest_s = None if oldest is None else max(time.time() - oldest, 0.0)
    return Counts(rows=rows, alert_rows=alert_rows, oldest_s=oldest_s, sequences=sequences)


def read_counts(path: Path) -> Counts:
    """What is in the outbox at `path`, read beside a running box. Raises StoreError where it cannot be read."""
    try:
        with closing(look(path)) as db:
            return count(db)
    except ERRORS as error:
        raise StoreError(f"cannot be read: {error}", path=path, remedy="run this as the user that runs undertone") from error
