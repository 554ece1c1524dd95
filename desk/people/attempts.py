"""How often somebody may try a password: a bucket a name and a bucket an address."""

import threading
import time
from collections.abc import Callable

# Ten wrong passwords at once, then one every 30 s: a person who forgot is not locked out, a program gets nowhere.
_BURST, _EVERY_S = 10, 30.0
_MOST_KEYS = 10_000


class Attempts:
    """Thread-safe; in memory: a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: dict[str, tuple[float, float]] = {}

    def wait_s(self, *keys: str) -> float:
        """For how many seconds `keys` have no attempt left; 0: try."""
        with self._lock:
            return max(0.0, *((self._level(key) - _BURST + 1) * _EVERY_S for key in keys))

    def failed(self, *keys: str) -> None:
        """A wrong password."""
        with self._lock:
            if len(self._spent) > _MOST_KEYS:
                self._spent.clear()
            for key in keys:
                self._spent[key] = self._level(key) + 1, self._clock()

    def forgive(self, key: str) -> None:
        """The right password."""
        with self._lock:
            self._spent.pop(key, None)

    def _level(self, key: str) -> float:
        level, at = self._spent.get(key, (0.0, 0.0))
        return max(0.0, level - (self._clock() - at) / _EVERY_S)
