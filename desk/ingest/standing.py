"""How each process that takes in events does, told by way of the database to those that serve pages."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from desk.ingest.link import Link
from desk.ingest.writer import Writer
from desk.store.seam import Database
from edge.clock import now

# It tells every five seconds.
_SILENT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One ingest, by its name at the broker. `lag_s`: for how long the oldest message that is not stored has waited."""

    name: str
    connected: bool
    trouble: str | None
    lag_s: float
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What this process takes in, where it does."""

    name: str
    link: Link
    writer: Writer

    @property
    def standing(self) -> Standing:
        """As it is now."""
        link = self.link
        return Standing(
            name=self.name, connected=link.connected, trouble=link.trouble, lag_s=round(link.lag_s, 3), counts=dict(self.writer.counts)
        )

    def tell(self, database: Database) -> None:
        """For the other processes."""
        with database.write() as tx:
            tx.run("ingest_set", name=self.name, at=now(), body=json.dumps(asdict(self.standing)))

    def leave(self, database: Database) -> None:
        """It ends, and nobody need wonder."""
        with database.write() as tx:
            tx.run("ingest_drop", name=self.name)


def standings(database: Database, own: Ingest | None) -> list[Standing]:
    """Of every ingest; `own` as it is now, the others as they last told. Raises StoreError."""
    with database.read() as tx:
        rows = tx.all("ingests_all")
    found = {row["name"]: _told(row["body"], row["at"]) for row in rows}
    if own is not None:
        found[own.name] = own.standing
    return [found[name] for name in sorted(found)]


def _told(body: str, at: str) -> Standing:
    told = Standing(**json.loads(body))
    silent = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    if silent < _SILENT_S:
        return told
    return Standing(name=told.name, connected=False, trouble=f"not heard of for {silent:.0f} s", lag_s=silent, counts=told.counts)
