"""Time as the site has it: what is written without a zone, and the clock of a promise in opening hours. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A calendar without an open day in it is taken as always open, not as a promise that never falls due.
_SEARCH_DAYS = 60


def instant(written: str, zone: ZoneInfo) -> datetime:
    """What somebody wrote, a day or a time, as UTC; without an offset it is the site's `zone`. Raises ValueError, OverflowError."""
    found = datetime.fromisoformat(written)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Opening hours: `hours` a weekday as HH:MM-HH:MM (none at all: always open), `closed` dates, `quiet` when nobody is called."""

    zone: ZoneInfo
    hours: Mapping[str, str]
    closed: Collection[str] = ()
    quiet: str | None = None

    def due(self, start: datetime, minutes: int) -> datetime:
        """When `minutes` of opening hours have passed since `start` (aware). UTC."""
        if not self.hours:
            return (start + timedelta(minutes=minutes)).astimezone(UTC)
        left, day = timedelta(minutes=minutes), start.astimezone(self.zone).date()
        for _ in range(_SEARCH_DAYS):
            opens, closes = self._open(day)
            begins = max(opens, start)
            if closes > begins:
                # Subtraction of two aware times of one zone ignores a change of the clock between them; UTC does not.
                room = closes.astimezone(UTC) - begins.astimezone(UTC)
                if left <= room:
                    return begins.astimezone(UTC) + left
                left -= room
            day += timedelta(days=1)
        return (start + timedelta(minutes=minutes)).astimezone(UTC)

    def _open(self, day: date) -> tuple[datetime, datetime]:
        span = None if day.isoformat() in self.closed else self.hours.get(_DAYS[day.weekday()])
        if span is None:
            midnight = datetime.combine(day, time(), self.zone)
            return midnight, midnight
        first, last = span.split("-")
        return self._at(day, first), self._at(day, last)

    def _at(self, day: date, clock: str) -> datetime:
        hour, minute = (int(part) for part in clock.split(":"))
        return datetime.combine(day, time(), self.zone).replace(hour=hour % 24, minute=minute) + timedelta(days=hour // 24)

    def is_quiet(self, moment: datetime) -> bool:
        """Whether nobody should be called at `moment`."""
        if self.quiet is None:
            return False
        first, last = self.quiet.split("-")
        now = moment.astimezone(self.zone).strftime("%H:%M")
        return first <= now < last if first <= last else now >= first or now < last
