"""The fault table: a row for each thing that was done to a box, as Markdown and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_HEAD = """\
# What was done to a box, and what came of it
Written by `make chaos` ({when}{how}). "Well again" is the time from the end of the fault (from the fault itself where it is
over at once) until everything that was committed has reached a subscriber, or until the line is heard again.

| fault | what was done | result | well again after |
|---|---|---|---|
"""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much of it: `size` 1 is the whole, 0 the short form that `make test` runs, with `slack` times the time allowed."""

    size: float = 1.0
    slack: float = 1.0
    seed: int = 20261123

    def of(self, whole: int, least: int) -> int:
        """`whole` scaled, but no less than `least`."""
        return max(least, round(whole * self.size))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row. `good` None: it could not be done here, `result` says why."""

    fault: str
    done: str
    result: str
    good: bool | None
    well_again_s: float | None = None


def markdown(rows: Sequence[Row]) -> str:
    """The rows of the table."""
    return "".join(f"| {row.fault} | {row.done} | {_mark(row)}{row.result} | {_seconds(row)} |\n" for row in rows)


def write(rows: Sequence[Row], folder: Path, *, when: str, how: str, page: Path | None) -> None:
    """`faults.json` and `faults.md` in `folder`; the latter also as `page`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    text = _HEAD.format(when=when, how=how) + markdown(rows)
    for path in (folder / "faults.md", page):
        if path is not None:
            path.write_text(text, encoding="utf-8")


def _mark(row: Row) -> str:
    return {True: "", False: "**FAILED:** ", None: "not done here: "}[row.good]


def _seconds(row: Row) -> str:
    return "" if row.well_again_s is None else f"{row.well_again_s:.1f} s"
