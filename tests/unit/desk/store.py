"""A desk's database in a folder, and a writer that stores what boxes tell, as the ingest thread does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desk.config import DeskConfig
from desk.ingest.alerts import Policy
from desk.ingest.writer import Told, Writer
from desk.store.opening import open_database
from edge.clock import now
from tests.scripted_box import ScriptedBox

PROJECTIONS = ("calls", "utterances", "cases", "spans")


class Store:
    """One database; `tell` stores a group of events of `box`."""

    def __init__(self, where: Path | str, config: DeskConfig | None = None) -> None:
        self.config, self._where = config or DeskConfig(), str(where)
        self.database = open_database(str(where))
        self.writer = Writer(self.database, prefix="undertone/v1", policy=Policy.of(self.config))

    def again(self) -> "Store":
        """The same database once more, as another process has it."""
        return Store(self._where, self.config)

    def tell(self, box: ScriptedBox, *events: Mapping[str, Any]) -> None:
        self.writer.store([Told(topic=box.topic(event), payload=box.payload(event)) for event in events])

    def people(self, *names: str, role: str = "operator") -> None:
        """Who may be given a case; without a password, which costs time."""
        with self.database.write() as tx:
            for name in names:
                tx.run("user_set", name=name, role=role, password="", routes="[]", at=now())

    def case(self, number: int = 1) -> dict[str, Any]:
        with self.database.read() as tx:
            return tx.one("case_whole", id=number)

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """Every row of a table, in a fixed order; test's eyes, not the desk's."""
        with self.database.read() as tx:
            rows = tx._connection.execute(f"SELECT * FROM {name}").fetchall()
        return sorted((tuple(dict(row).items()) for row in rows), key=repr)

    def projections(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.table(name) for name in PROJECTIONS}
