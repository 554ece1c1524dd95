"""Wall time, once per call (everything else inside a call is a count of samples), and how long something is, for a person."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.values import SAMPLE_RATE

# systemd-timesyncd touches this file at every successful synchronisation.
_TIMESYNC_STAMP = Path("/run/systemd/timesync/synchronized")
# chrony's daemon runs; whether it has a source yet is its own business.
_CHRONY_PID = Path("/run/chrony/chronyd.pid")
# A clock before this program was written is a clock that lost its battery.
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def rfc3339(moment: datetime) -> str:
    """`moment` as RFC 3339 UTC with milliseconds: 2026-11-23T20:15:00.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The wall clock as RFC 3339 UTC."""
    return rfc3339(datetime.now(UTC))


def span(seconds: float) -> str:
    """42 s, 7 min, 3.5 h, 12 days: the largest unit of which there are two."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"


def believable() -> bool:
    """Whether the wall clock can be right at all."""
    return datetime.now(UTC) >= _WRITTEN


def time_synced() -> bool:
    """Whether the wall clock is known to be set by NTP (systemd-timesyncd's stamp, or a running chrony)."""
    return _TIMESYNC_STAMP.exists() or _CHRONY_PID.exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Sample `sample` of a line's clock was at UTC `utc`. Taken once per call; later clock jumps do not move the call."""

    sample: int
    utc: datetime
    synced: bool

    @classmethod
    def take(cls, sample: int, *, arrived: float | None = None, left_s: float = 0.0) -> "Anchor":
        """Anchor `sample` at the wall time at which it arrived (`arrived`: monotonic seconds; None: now).

        `left_s`: so much of a recording that is played faster than it was spoken is still to come: it is taken to end now, so that
        nothing in it happens in the future.
        """
        ago = left_s if arrived is None else time.monotonic() - arrived
        return cls(sample=sample, utc=datetime.now(UTC) - timedelta(seconds=ago), synced=time_synced())

    def at(self, sample: int) -> str:
        """RFC 3339 UTC of `sample`."""
        return rfc3339(self.utc + timedelta(seconds=(sample - self.sample) / SAMPLE_RATE))


def uuid7() -> str:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random; sorts by time. Python 3.14 has its own."""
    millis = time.time_ns() // 1_000_000
    value = (millis & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
