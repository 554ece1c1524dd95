"""Which database a configuration means, opened and brought to the newest schema."""

from pathlib import Path

from desk.store.seam import Database, migrate
from desk.store.sqlite import SqliteDatabase


def open_database(where: str) -> Database:
    """The database at `where`: a path (SQLite) or postgresql://... . Raises StoreError."""
    database: Database
    if "://" in where:
        from desk.store.postgres import PostgresDatabase

        database = PostgresDatabase(where)
    else:
        database = SqliteDatabase(Path(where))
    migrate(database)
    return database
