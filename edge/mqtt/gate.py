"""How large commands may be and how often they may come, before anybody looks into one."""

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("undertone.bus")

# Commands about calls and alerts are a few hundred bytes.
_MAX_BYTES = 4096
# A chunk of a model: 256 KiB of bytes in base64, and its envelope.
_MAX_CHUNK_BYTES = 400_000
# A switchboard may start and end the calls of several lines at once; a person never clicks this fast.
_BURST, _PER_SECOND = 50, 20.0
# Of a flood the log gets so many lines, and then one a second.
_LINES = 20.0


class Gate:
    """Says whether an incoming message may be looked at: not retained, not too large, not too many. Thread-safe, never waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._tokens, self._filled_at = float(_BURST), clock()
        self._lines, self._lines_at, self._unsaid = _LINES, clock(), 0

    def refusal(self, topic: str, size: int, *, retained: bool) -> str | None:
        """Why not, in one line; None where it may pass."""
        if retained:
            return "retained; a command is for now: clear it from the broker and send it again without retain"
        limit = _MAX_CHUNK_BYTES if topic.endswith("/model/install") else _MAX_BYTES
        if size > limit:
            return f"{size} bytes; at most {limit} are taken"
        with self._lock:
            now = self._clock()
            self._tokens = min(_BURST, self._tokens + (now - self._filled_at) * _PER_SECOND)
            self._filled_at = now
            if self._tokens < 1:
                return f"more than {_PER_SECOND:.0f} commands a second"
            self._tokens -= 1
        return None

    def admits(self, topic: str, size: int, retained: bool) -> bool:  # noqa: FBT001 (what a Link asks)
        """Whether it may pass; what may not is named in the log, without its content, and a flood of it counted."""
        refusal = self.refusal(topic, size, retained=retained)
        if refusal is None:
            return True
        with self._lock:
            now = self._clock()
            self._lines, self._lines_at = min(_LINES, self._lines + now - self._lines_at), now
            if self._lines < 1:
                self._unsaid += 1
                return False
            self._lines -= 1
            unsaid, self._unsaid = self._unsaid, 0
        _log.warning("command.refused topic=%s reason=%s others=%d", topic[:200], refusal, unsaid)
        return False
