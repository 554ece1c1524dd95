"""How often somebody may try a password: a bucket a name and a bucket an address, in the database, for all processes on it."""

import time
from collections.abc import Callable

from desk.people.accounts import digest
from desk.store.seam import Database, Transaction

# Ten wrong passwords at once, then one every 30 s: a person who forgot is not locked out, a program gets nowhere.
_BURST, _EVERY_S = 10, 30.0


class Attempts:
    """Of one database. `clock` is the wall clock: other machines read what it wrote."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def take(self, *keys: str) -> float:
        """For how many seconds `keys` have no attempt left; 0: one of each is spent.

        To be asked before the password is looked at, so that many at one moment get no more.
        """
        with self._database.write() as tx:
            levels = self._levels(tx, keys)
            wait = max(0.0, *((level - _BURST + 1) * _EVERY_S for level in levels.values()))
            if wait == 0:
                self._set(tx, {key: level + 1 for key, level in levels.items()})
            return wait

    def forgive(self, *keys: str, name: str) -> None:
        """The right password: nothing was spent of `keys`, and all wrong ones of `name` are forgotten."""
        with self._database.write() as tx:
            self._set(tx, {key: max(0.0, level - 1) for key, level in self._levels(tx, keys).items()} | {name: 0.0})

    def prune(self) -> None:
        """Forget buckets that have drained."""
        with self._database.write() as tx:
            tx.run("attempts_prune", before=self._clock() - _BURST * _EVERY_S)

    def _levels(self, tx: Transaction, keys: tuple[str, ...]) -> dict[str, float]:
        rows = {row["key"]: row for row in tx.all("attempts_get", keys=[digest(key) for key in keys])}
        return {key: self._level(rows.get(digest(key))) for key in keys}

    def _level(self, row: "dict[str, float] | None") -> float:
        # Of two clocks one may be behind.
        return 0.0 if row is None else max(0.0, row["spent"] - max(0.0, self._clock() - row["at"]) / _EVERY_S)

    def _set(self, tx: Transaction, levels: dict[str, float]) -> None:
        tx.many("attempts_set", [{"key": digest(key), "spent": level, "at": self._clock()} for key, level in levels.items()])
