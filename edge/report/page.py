"""The report page of a call: one HTML file that needs nothing else, for people who would rather look than read."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, Undefined
from markupsafe import Markup

from edge.errors import StoreError
from edge.report.calls import calls_in
from edge.report.timeline import draw
from edge.report.waveform import envelopes

# What stands where nothing is known: never 0.
_BLANK = "\N{EN DASH}"


def write_report(path: Path, events: Iterable[Mapping[str, Any]], *, recording: Path | None = None) -> None:
    """Write the page of every call in `events` (CloudEvents as dicts) to `path`; with `recording` of one call, its waveform too.

    Raises StoreError where `path` cannot be written.
    """
    folder = files("edge.report")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"signed": _signed, "share": _share, "seconds": _seconds, "clock": _clock}
    template = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8"))
    found = list(calls_in(events))
    # Where several calls are in one recording, nothing says where in it each began.
    alone = recording if len(found) == 1 else None
    calls = [(call, Markup(draw(call, envelopes(alone, call) if alone else None))) for call in found]  # noqa: S704 (draw escapes)
    style = Markup(folder.joinpath("style.css").read_text(encoding="utf-8"))  # noqa: S704 (our own file)
    page = template.render(calls=calls, style=style, blank=_BLANK)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; give a path in a folder that is there and yours") from error


def _signed(value: float | Undefined | None) -> str:
    """+0.42, with a real minus sign."""
    return _BLANK if value is None or isinstance(value, Undefined) else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _share(value: float | Undefined | None) -> str:
    """A share of 1 in percent."""
    return _BLANK if value is None or isinstance(value, Undefined) else f"{value:.0%}"


def _seconds(ms: int) -> str:
    """Milliseconds as seconds with a tenth."""
    return f"{ms / 1000:.1f} s"


def _clock(ms: int) -> str:
    """Milliseconds as minutes:seconds with a tenth."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms % 1000 // 100}"
