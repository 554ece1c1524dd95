"""The one seam between the two databases: named statements from the .sql files, run in a transaction."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

Row = dict[str, Any]

_PART = re.compile(r"\{\{(\w+)\}\}")
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Transaction(Protocol):
    """Statements of one transaction, by their names in desk/store/sql. Parameters are `:name` there and keywords here."""

    def all(self, name: str, /, **values: object) -> list[Row]:
        """Every row. A list goes where the statement says `IN (:name...)`."""
        ...

    def one(self, name: str, /, **values: object) -> Row | None:
        """The first row, or None."""
        ...

    def run(self, name: str, /, **values: object) -> int:
        """How many rows it changed."""
        ...

    def insert(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> list[Row]:
        """The statement, INSERT INTO ... VALUES (...) with parameters named as its columns, for all of `rows`; what it returned."""
        ...

    def many(self, name: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        """The statement once for each of `rows`."""
        ...

    def script(self, text: str) -> None:
        """Run `text`, several statements of one's own (migrations)."""
        ...


class Database(Protocol):
    """A database: SQLite or PostgreSQL. Safe to use from any thread. Failures are StoreError, with the remedy."""

    name: str

    def write(self) -> AbstractContextManager[Transaction]:
        """One writer at a time; committed durably when the block ends, undone when it raises."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """One consistent view; never waits for a writer."""
        ...

    def wait(self, seconds: float) -> None:
        """Until some process has committed, or for `seconds`. For one thread."""
        ...

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Whether no other process is at `task`; while the block lasts, none will be.

        A task is one thread's; a process that dies leaves it.
        """
        ...

    def backup(self, path: str) -> None:
        """A whole, consistent copy while others write."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


@cache
def statements() -> Mapping[str, str]:
    """Every named statement of desk/store/sql/*.sql; a name stands once."""
    found: dict[str, str] = {}
    for file in sorted(files("desk.store").joinpath("sql").iterdir(), key=lambda one: one.name):
        _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            assert name not in found, f"statement {name} stands twice"  # noqa: S101 (a defect of ours, met at the first start)
            found[name] = text.strip().rstrip(";")
    # {{name}} stands for the text of that statement: one WHERE for a list, its count, its file.
    return {name: _PART.sub(lambda part: found[part.group(1)], text) for name, text in found.items()}


def migrations() -> list[tuple[int, str]]:
    """Number and text of every migration, in order."""
    folder = files("desk.store").joinpath("migrations")
    return sorted((int(file.name[:3]), file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".sql"))


def migrate(database: Database) -> int:
    """Bring the schema forward and return its number; what is there already stays. Each migration is one transaction."""
    with database.write() as tx:
        tx.script("CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, at TEXT NOT NULL);")
    number = 0
    for number, text in migrations():
        with database.write() as tx:
            if tx.one("schema_has", number=number) is None:
                tx.script(text)
                tx.run("schema_set", number=number)
    return number
