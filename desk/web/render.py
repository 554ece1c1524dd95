"""Pages from jinja2 templates, autoescaped. Times are UTC in the database and the site's on the page."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from edge import clock

_BLANK = "\N{EN DASH}"
# The plot of a row: a unit a second, at least a minute wide.
_HEIGHT, _SHORTEST_S = 24, 60


class Renderer:
    """The templates of desk.web, in one time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._environment = Environment(
            loader=PackageLoader("desk.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
        )
        self._environment.globals["timezone"] = zone.key
        self._environment.filters |= {
            "clock": self.clock, "day": self.day, "moment": self.moment,
            "share": share, "signed": signed, "words": words, "spark": spark, "blank": blank,
            "points": points,
            "span": span, "took": took,
            "date": self.date,
        }  # fmt: skip

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        """The page."""
        return self._environment.get_template(template).render(**context)

    def clock(self, written: str | None) -> Markup | str:
        """A time of day in the site's zone, with the date where it is not today's; browsers get the moment itself beside it."""
        if not written:
            return _BLANK
        moment = datetime.fromisoformat(written).astimezone(self._zone)
        today = datetime.now(self._zone).date()
        near = "%d %b %H:%M" if moment.year == today.year else "%d %b %Y %H:%M"
        shown = moment.strftime("%H:%M" if moment.date() == today else near)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(written, moment.strftime("%Y-%m-%d %H:%M:%S %Z"), shown)

    def moment(self, written: str) -> Markup:
        """Date and time in the site's zone, also where it is today's: an end of a period."""
        moment = datetime.fromisoformat(written).astimezone(self._zone)
        return Markup('<time datetime="{}">{}</time>').format(written, moment.strftime("%d %b %Y %H:%M"))

    def date(self, written: str) -> str:
        """The day in the site's zone, as a form's field of a date takes it."""
        return datetime.fromisoformat(written).astimezone(self._zone).date().isoformat()

    def day(self, written: str | None) -> str:
        """Date and time in the site's zone, for files."""
        return datetime.fromisoformat(written).astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S%z") if written else ""


def blank(value: object) -> object:
    """`value`, or a dash for what is not known; 0 is known."""
    return _BLANK if value is None or value == "" else value


def took(minutes: float) -> str:
    """How long something took, in the largest unit of which there are two."""
    return clock.span(minutes * 60)


def share(value: float | None) -> str:
    """A share of 1 in percent."""
    return _BLANK if value is None else f"{value:.0%}"


def signed(value: float | None) -> str:
    """+0.42, with a real minus sign."""
    return _BLANK if value is None else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def points(value: float) -> str:
    """A difference of shares in points of percent, with a real minus sign."""
    return f"{value * 100:.1f}".replace("-", "\N{MINUS SIGN}")


def words(code: str | None) -> str:
    """A code as words: could_not_resolve."""
    return _BLANK if not code else code.replace("_", " ")


def span(ms: float | None) -> str:
    """Milliseconds as minutes:seconds."""
    return _BLANK if ms is None else f"{int(ms) // 60_000}:{int(ms) // 1000 % 60:02d}"


def spark(points: Iterable[tuple[int, int, float]]) -> Markup:
    """A call so far: a bar an utterance (start_ms, end_ms, polarity), below the line where it was negative."""
    found = list(points)
    width = max([_SHORTEST_S, *(end // 1000 for _, end, _ in found)])
    middle = _HEIGHT / 2
    bars = Markup("").join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>').format(
            round(start / 1000, 1),
            round(middle - max(polarity, 0.0) * middle, 1),
            round(max((end - start) / 1000, 1.0), 1),
            round(max(abs(polarity) * middle, 1.0), 1),
            "down" if polarity < 0 else "up",
        )
        for start, end, polarity in found
    )
    label = f"{sum(1 for _, _, polarity in found if polarity < 0)} of {len(found)} utterances below neutral"
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<line x1="0" y1="{}" x2="{}" y2="{}"/>{}</svg>'
    ).format(label, width, _HEIGHT, middle, width, middle, bars)
