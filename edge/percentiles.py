"""How long something took lately: the last thousand times, and their percentiles."""

from collections import deque
from dataclasses import dataclass
from threading import Lock

# About an hour of a busy box, and 8 kB.
_KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class Durations:
    """The last thousand durations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ms: deque[float] = deque(maxlen=_KEPT)

    def add(self, seconds: float) -> None:
        """It took so long once more."""
        with self._lock:
            self._ms.append(seconds * 1000)

    def spread(self) -> Spread | None:
        """Percentiles (nearest rank) in ms; None before the first."""
        with self._lock:
            ranked = sorted(self._ms)
        if not ranked:
            return None
        p50, p95, p99 = (round(ranked[min(len(ranked) * percent // 100, len(ranked) - 1)], 1) for percent in (50, 95, 99))
        return Spread(p50_ms=p50, p95_ms=p95, p99_ms=p99)
