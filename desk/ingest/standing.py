"""How each process that takes in events does, told by way of the database to those that serve pages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from desk.ingest.link import Link
from desk.ingest.writer import Writer
from desk.store.seam import Database
from edge.clock import now

# It tells every five seconds.
_SILENT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One ingest, by its name at the broker. `lag_s`: for how long the oldest message that is not stored has waited.

    `topics`: what it takes in; empty: all. `silent`: it tells nothing any more.
    """

    name: str
    connected: bool
    trouble: str | None
    lag_s: float
    counts: Mapping[str, int]
    topics: Sequence[str] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What this process takes in, where it does."""

    name: str
    link: Link
    writer: Writer
    topics: Sequence[str] = ()

    @property
    def standing(self) -> Standing:
        """As it is now."""
        link = self.link
        return Standing(
            name=self.name, connected=link.connected, trouble=link.trouble, lag_s=round(link.lag_s, 3), counts=dict(self.writer.counts),
            topics=self.topics,
        )  # fmt: skip

    def tell(self, database: Database) -> None:
        """For the other processes. One that fell silent and whose topics this one takes in is followed by it, and told of no more."""
        with database.write() as tx:
            tx.run("ingest_set", name=self.name, at=now(), body=json.dumps(asdict(self.standing)))
            if not self.link.connected:
                return
            for row in tx.all("ingests_all"):
                other = _told(row["body"], row["at"])
                if other.silent and row["name"] != self.name and _covers(self.topics, other.topics):
                    tx.run("ingest_drop", name=row["name"])

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


def take_out(database: Database, name: str) -> bool:
    """Tell no more of an ingest that fell silent and does not come back; False where there is none of that name."""
    with database.write() as tx:
        return tx.run("ingest_drop", name=name) == 1


def _covers(own: Sequence[str], others: Sequence[str]) -> bool:
    return not own or (bool(others) and set(others) <= set(own))


def _told(body: str, at: str) -> Standing:
    told = Standing(**json.loads(body))
    silent = (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    if silent < _SILENT_S:
        return told
    return replace(told, connected=False, silent=True, trouble=f"not heard of for {silent:.0f} s", lag_s=silent)
