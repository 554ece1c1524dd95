"""systemd's view of us: ready, alive, stopping (sd_notify(3)), as plain datagrams, without a library.

The caller feeds `beat` from progress (fresh frames judged on each line that is up), never from a timer of its own: a process
whose lines are stuck must be restarted even though its timers still run.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

_log = logging.getLogger("undertone.watchdog")


class Notifier:
    """Tells the service manager. Where there is none (no NOTIFY_SOCKET), every method does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ means Linux's abstract namespace, where the first byte is zero.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._beat_s = _beat_s(environment)
        self._beat_at = float("-inf")

    def ready(self) -> None:
        """Start-up is over: `systemctl start` returns now."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The configuration is being read anew; `ready` follows."""
        self._send("RELOADING=1")

    def beat(self) -> None:
        """There was progress. May be called as often as one likes; sends at half the time that the manager allows."""
        if self._beat_s is None or time.monotonic() - self._beat_at < self._beat_s:
            return
        self._beat_at = time.monotonic()
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """A clean stop has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.sendto(message.encode(), self._address)
        except OSError as error:
            # The manager went away or its queue is full; the next beat tries again, and hearing goes on.
            _log.warning("watchdog.unsent message=%s error=%s", message.partition("=")[0], error)


def _beat_s(environment: Mapping[str, str]) -> float | None:
    """Seconds between beats (half of WATCHDOG_USEC, as sd_watchdog_enabled(3) advises); None where no watchdog is meant for us."""
    try:
        allowed_us = int(environment.get("WATCHDOG_USEC", "0"))
        meant_for = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return allowed_us / 2_000_000 if allowed_us > 0 and meant_for == os.getpid() else None
