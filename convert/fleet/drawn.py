"""A rollout in a terminal: each box where they fit on a screen, else the groups that they form."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from convert.fleet.fleet import Box
from convert.fleet.rollout import Parcel
from convert.fleet.stage import BAD, SERVES, Stage

# More boxes than a terminal has lines are told in numbers.
_FEW = 30
# Of boxes that fare the same, so many names.
_NAMES = 3
_COLOURS = {
    Stage.KEPT: "green", Stage.INSTALLED: "green", Stage.PROBATION: "cyan",
    Stage.REFUSED: "red", Stage.ROLLED_BACK: "red", Stage.SILENT: "red",
}  # fmt: skip


class Drawn:
    """A bar for each box, or for each group of many; and a line for each thing that happens, which stays when the bars are gone.

    Of many boxes only canaries, groups and the first that would not have it get lines.
    """

    def __init__(self, console: Console, parcel: Parcel, boxes: Sequence[Box]) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(30, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[stage]}"),
        )
        self._progress: Progress = Progress(*columns, console=console, transient=True)
        self._console, self._size, self._few = console, len(parcel.data), len(boxes) <= _FEW
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, Stage] = {}
        self._bad, self._began = 0, 0.0
        # Whose turn it is, where they are many: the title, and who is where it should be, or will not be.
        self._title, self._done = "", set[str]()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begins(self, title: str, group: Sequence[Box]) -> None:
        """The model goes to these now."""
        if not self._few:
            self._title, self._began, self._done = title, time.monotonic(), set()
            self._tasks[title] = self._progress.add_task(title, total=len(group), stage="")

    def news(self, box: Box) -> None:
        """What is new about a box."""
        if self._few:
            self._draw_box(box)
        else:
            self._draw_group(box)
        new = box.stage != Stage.SENDING and self._said.get(box.name) != box.stage
        if not new:
            return
        self._said[box.name] = box.stage
        self._bad += box.stage in BAD
        if self._few or box.canary or (box.stage in BAD and self._bad <= _FEW):
            self._console.print(f"  {box.name:<16} {_coloured(box)}{_why(box)}", soft_wrap=True)

    def ends(self, title: str, group: Sequence[Box]) -> None:
        """How a group fares."""
        if self._few:
            return
        stands = Counter(box.stage for box in group)
        shown = ", ".join(f"{n} {_words(stage)}" for stage, n in sorted(stands.items()))
        again = sum(box.again > 0 for box in group)
        more = f", {again} were sent something again" if again else ""
        self._console.print(f"  {title}: {shown}{more} ({time.monotonic() - self._began:.0f} s)")
        self._progress.remove_task(self._tasks.pop(title))

    def _draw_group(self, box: Box) -> None:
        if box.stage == Stage.KEPT or box.stage in BAD or (box.stage in SERVES and not box.canary):
            self._done.add(box.name)
        if self._title in self._tasks:
            self._progress.update(self._tasks[self._title], completed=len(self._done), stage=f"{len(self._done)} boxes")

    def _draw_box(self, box: Box) -> None:
        if box.name not in self._tasks:
            name = f"{box.name} (canary)" if box.canary else box.name
            self._tasks[box.name] = self._progress.add_task(name, total=self._size, stage="")
        self._progress.update(self._tasks[box.name], completed=box.have, stage=_words(box.stage))


def print_boxes(console: Console, parcel: Parcel, boxes: Sequence[Box]) -> None:
    """Who runs what."""
    table = Table("box", "", f"{parcel.kind} model", "this rollout", "why")
    few = len(boxes) <= _FEW
    alike: dict[tuple[str, ...], list[Box]] = {}
    for box in boxes:
        stage = "not touched" if box.stage == Stage.WAITING else _coloured(box)
        why = box.reason or ("" if box.state in {"online", "degraded"} else f"the box is {box.state}")
        row: tuple[str, ...] = ("canary" if box.canary else "", box.serves or "-", stage, why)
        alike.setdefault((box.name, *row) if few else row, []).append(box)
    for row, same in alike.items():
        table.add_row(_names(same), *row[-4:])
    console.print(table)
    bad = [box for box in boxes if box.canary and box.stage in BAD]
    untouched = sum(box.stage == Stage.WAITING for box in boxes)
    if bad:
        console.print(f"stopped: {_names(bad)} would not have it; no other box was touched", style="red")
    elif untouched and any(box.stage in BAD for box in boxes):
        console.print(f"stopped: too many would not have it; {untouched} were not touched", style="red")


def _names(boxes: Sequence[Box]) -> str:
    first = ", ".join(box.name for box in boxes[:_NAMES])
    return first if len(boxes) <= _NAMES else f"{first} and {len(boxes) - _NAMES:,} more"


def _coloured(box: Box) -> str:
    return f"[{_COLOURS.get(box.stage, 'white')}]{_words(box.stage)}[/]"


def _words(stage: Stage) -> str:
    return stage.replace("_", " ")


def _why(box: Box) -> str:
    shown = ("proof_ms", "calls_wanted", "utterances", "shift", "drift_psi", "other_side_share", "cost_ms", "shadow_cost_ms")
    figures = ", ".join(f"{name} {box.figures[name]:g}" for name in shown if box.figures.get(name))
    return "".join(f": {part}" for part in (box.reason, figures) if part)
