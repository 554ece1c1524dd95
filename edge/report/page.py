"""The report page of a call: one HTML file that needs nothing else, for people who would rather look than read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from edge.capture.recording import Recording
from edge.drawing.timeline import draw
from edge.errors import StoreError
from edge.files import pages
from edge.report.calls import calls_in
from edge.report.waveform import envelopes

# What stands where nothing is known: never 0.
_BLANK = "\N{EN DASH}"


def write_report(
    path: Path,
    events: Iterable[Mapping[str, Any]],
    *,
    recording: Recording | None = None,
    pick: tuple[int, ...] = (),
    explained: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> None:
    """Write the page of every call in `events` (CloudEvents as dicts) to `path`.

    With `recording` of one call, the waveform of its channels (those of `pick`, if any) too.

    `explained` is, by call id, what stands behind each rule (edge.call.explain.behind_each_rule).
    Raises StoreError where `path` cannot be written.
    """
    found = list(calls_in(events))
    # Where several calls are in one recording, nothing says where in it each began.
    alone = recording if len(found) == 1 else None
    calls = [(call, Markup(draw(call.timeline, envelopes(alone, call, pick) if alone else None))) for call in found]  # noqa: S704 (draw escapes)
    filters = {"signed": _signed, "share": _share, "seconds": _seconds, "clock": _clock}
    page = pages.render("edge.report", filters, calls=calls, blank=_BLANK, explained=explained or {})
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"cannot be written: {error.strerror}", path=path, remedy="give a path in a folder that is there and yours"
        ) from error


def _signed(value: object) -> str:
    """+0.42, with a real minus sign; what is no number is not known."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") if isinstance(value, int | float) else _BLANK


def _share(value: object) -> str:
    """A share of 1 in percent; what is no number is not known."""
    return f"{value:.0%}" if isinstance(value, int | float) else _BLANK


def _seconds(ms: int) -> str:
    """Milliseconds as seconds with a tenth."""
    return f"{ms / 1000:.1f} s"


def _clock(ms: int) -> str:
    """Milliseconds as minutes:seconds with a tenth."""
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms % 1000 // 100}"
