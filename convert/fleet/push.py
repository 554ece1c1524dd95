"""`undertone-convert push`: a signed bundle to the boxes of a site, over their broker."""

import argparse
import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from convert.fleet.stage import Stage
from edge.cli.broker import add_options, broker_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from convert.fleet.rollout import Box, Parcel

_EXAMPLES = """\
examples:
  undertone-convert push voice-1.3.0.tar --url mqtt://broker.example --site leeds
  undertone-convert push voice-1.3.0.tar --url mqtts://broker.example --ca ca.pem --username technician --password-file secret \\
      --site leeds --device 'desk-*' --canary 2
  undertone-convert push voice-1.3.0.tar --url mqtt://broker.example --site leeds --canary 0      all at once

each box checks the bundle itself: signature, every byte, labels, features, its known answers and its speed on that very box. the
canaries go first and must keep it (its probation: 20 calls or a day); if one refuses it or takes it back, no other box is touched.
broken off? give the same command again: each box tells how far it is, and nothing is done twice.
exit codes: 0 every box runs it, 1 not every box does, 2 wrong use
"""
# A box tells its `info` anew with the change; a slow line may deliver it after the verdict.
_INFO_S = 5.0
_COLOURS = {
    Stage.KEPT: "green", Stage.INSTALLED: "green", Stage.PROBATION: "cyan",
    Stage.REFUSED: "red", Stage.ROLLED_BACK: "red", Stage.SILENT: "red",
}  # fmt: skip


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "push",
        help="send a signed bundle to a site's boxes, a few of them first",
        description="Send a bundle to boxes over MQTT, canaries first; wait for what each box says of it; show who runs what.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's .tar, or its folder")
    parser.add_argument("--site", required=True, help="the site's name, as in its boxes' configuration")
    parser.add_argument("--device", action="append", metavar="NAME", help="a box, or a pattern with *; repeatable (default: every box)")
    parser.add_argument("--canary", default="5%", metavar="N", help="how many boxes go first: 5%% or 2; 0: all at once (default 5%%)")
    parser.add_argument("--until", choices=("serves", "kept"), default="serves", help="what to wait for on the others (default: serves)")
    parser.add_argument("--timeout", type=float, default=25.0, metavar="HOURS", help="how long to wait for verdicts (default 25)")
    parser.add_argument("--silent", type=float, default=120.0, metavar="SECONDS", help="a box that answers nothing for so long is given up")
    parser.add_argument("--expires", type=float, default=48.0, metavar="HOURS", help="boxes refuse it afterwards (default 48)")
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Roll out. Raises UsageError, ModelError, StoreError, BusError."""
    from contextlib import closing

    from rich.console import Console

    from convert.fleet.rollout import Rollout, Site, canary_count, chosen
    from edge.clock import uuid7
    from edge.errors import BusError, UsageError
    from edge.models.kinds import ROWS

    parcel = _parcel(args.bundle, args.expires)
    site = Site(broker_of(args), args.site, parcel.kind, client_id=f"undertone-push-{uuid7()}")
    site.open()
    with closing(site):
        found = list(chosen(site.boxes, args.device or ["*"]))
        here = [box for box in found if box.state in {"online", "degraded"}]
        if not here:
            known = ", ".join(f"{box.name} ({box.state})" for box in site.boxes.values()) or "none"
            raise BusError(
                "no such box is online", where=f"site '{args.site}'", remedy=f"known there: {known}; check --site, --device and --prefix"
            )
        try:
            canaries = canary_count(args.canary, len(here))
        except ValueError as error:
            raise UsageError(
                "no share of the boxes", where=f"--canary '{args.canary}'", remedy="give a share like 5% or a number of boxes like 2"
            ) from error
        console = Console(highlight=False)
        size = f"{len(parcel.data) / 1000:.0f} kB"
        console.print(
            f"{parcel.label} ({parcel.kind}, {size}) to {len(here)} of {len(found)} boxes of {args.site}, {canaries} of them first"
        )
        with _Drawn(console, parcel) as drawn:
            rollout = Rollout(site, parcel, here, drawn.show, silent_s=args.silent)
            good = rollout.run(canaries, wait_s=args.timeout * 3600, until_kept=args.until == Stage.KEPT)
        if ROWS[parcel.kind].swaps:
            site.last_words(found, parcel.version, _INFO_S)
        _print(console, parcel, found)
        return 0 if good and len(here) == len(found) else 1


def _parcel(path: Path, expires_h: float) -> "Parcel":
    """The bundle, checked, as it is sent: packing the same folder gives the same bytes."""
    from convert.fleet.rollout import Parcel
    from edge.bundle.archive import pack, unpack_aside
    from edge.bundle.manifest import load
    from edge.bundle.signature import Trust

    # Whose signature counts is each box's affair; that every byte is as the manifest says is checked here too.
    trust = Trust(allow_unsigned=True)
    with tempfile.TemporaryDirectory(prefix="undertone-push-") as scratch:
        if path.is_dir():
            bundle, packed = load(path, trust=trust), Path(scratch) / "bundle.tar"
            pack(bundle, packed)
            data = packed.read_bytes()
        else:
            with unpack_aside(path) as folder:
                bundle = load(folder, trust=trust)
            data = path.read_bytes()
    until = (datetime.now(UTC) + timedelta(hours=expires_h)).isoformat(timespec="seconds").replace("+00:00", "Z")
    made = bundle.manifest
    return Parcel(
        kind=made.kind, label=bundle.label, version=made.version, sha256=hashlib.sha256(data).hexdigest(), data=data, expires_at=until
    )


class _Drawn:
    """A bar for each box, and a line for each thing that happens, which stays when the bars are gone."""

    def __init__(self, console: "Console", parcel: "Parcel") -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(30, complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[stage]}"),
        )
        self._progress: Progress = Progress(*columns, console=console, transient=True)
        self._console, self._size = console, len(parcel.data)
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, box: "Box") -> None:
        """What is new about a box."""
        if box.name not in self._tasks:
            name = f"{box.name} (canary)" if box.canary else box.name
            self._tasks[box.name] = self._progress.add_task(name, total=self._size, stage="")
        self._progress.update(self._tasks[box.name], completed=box.have, stage=box.stage.replace("_", " "))
        if box.stage != Stage.SENDING and self._said.get(box.name) != box.stage:
            self._said[box.name] = box.stage
            self._console.print(f"  {box.name:<16} {_coloured(box)}{_why(box)}", soft_wrap=True)


def _print(console: "Console", parcel: "Parcel", boxes: "list[Box]") -> None:
    """Who runs what."""
    from rich.table import Table

    table = Table("box", "", f"{parcel.kind} model", "this rollout", "why")
    for box in boxes:
        stage = "not touched" if box.stage == Stage.WAITING else _coloured(box)
        why = box.reason or ("" if box.state in {"online", "degraded"} else f"the box is {box.state}")
        table.add_row(box.name, "canary" if box.canary else "", box.serves or "-", stage, why)
    console.print(table)
    bad = [box.name for box in boxes if box.canary and _COLOURS.get(box.stage) == "red"]
    if bad:
        console.print(f"stopped: {', '.join(bad)} would not have it; no other box was touched", style="red")


def _coloured(box: "Box") -> str:
    return f"[{_COLOURS.get(box.stage, 'white')}]{box.stage.replace('_', ' ')}[/]"


def _why(box: "Box") -> str:
    shown = ("proof_ms", "calls_wanted", "utterances", "shift", "drift_psi", "other_side_share", "cost_ms", "shadow_cost_ms")
    figures = ", ".join(f"{name} {box.figures[name]:g}" for name in shown if box.figures.get(name))
    return "".join(f": {part}" for part in (box.reason, figures) if part)
