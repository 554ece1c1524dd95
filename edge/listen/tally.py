"""What is refused, told in the log: the first of its kind at once, then once a minute how many more; a flood makes no more lines."""

import logging
import threading
import time
from collections.abc import Callable

from edge.listen.messages import Refusal

_log = logging.getLogger("undertone.listen")

_EVERY_S = 60.0


class Tally:
    """Counts one listener's refusals. For any thread."""

    def __init__(self, line: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts = dict.fromkeys(Refusal, 0)
        self._line, self._clock, self._lock = line, clock, threading.Lock()
        # Reason -> when it was told of last, and how many came since.
        self._told: dict[Refusal, tuple[float, int]] = {}

    def refused(self, refusal: Refusal, peer: str, says: str | None = None) -> None:
        """One more. `says` must repeat nothing of what came."""
        with self._lock:
            self.counts[refusal] += 1
            told = self._told.get(refusal)
            if told is not None:
                self._told[refusal] = told[0], told[1] + 1
                return
            self._told[refusal] = self._clock(), 0
        _log.warning("listen.refused line=%s reason=%s from=%s says=%r", self._line, refusal, peer, says or refusal.doc)

    def flush(self) -> None:
        """Say what has gathered for a minute. Call it now and then."""
        now = self._clock()
        with self._lock:
            over = {refusal: more for refusal, (since, more) in self._told.items() if now - since >= _EVERY_S}
            for refusal, more in over.items():
                if more:
                    self._told[refusal] = now, 0
                else:
                    del self._told[refusal]
        for refusal, more in over.items():
            if more:
                _log.warning("listen.refused line=%s reason=%s more=%d in_s=%.0f", self._line, refusal, more, _EVERY_S)
