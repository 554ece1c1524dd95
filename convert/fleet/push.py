"""`undertone-convert push`: a signed bundle to the boxes of a site, or of many, over their broker."""

import argparse
import hashlib
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from convert.fleet.stage import Stage
from edge.cli.broker import add_options, broker_of

if TYPE_CHECKING:
    from convert.fleet.rollout import Parcel

_EXAMPLES = """\
examples:
  undertone-convert push voice-1.3.0.tar --url mqtt://broker.example --site leeds
  undertone-convert push voice-1.3.0.tar --url mqtts://broker.example --ca ca.pem --username technician --password-file secret \\
      --site leeds --device 'desk-*' --canary 2
  undertone-convert push voice-1.3.0.tar --url mqtt://broker.example --site '*' --canary 10       every site's, canaries of each
  undertone-convert push voice-1.3.0.tar --url mqtt://broker.example --site leeds --canary 0 --wave 0      all at once

each box checks the bundle itself: signature, every byte, labels, features, its known answers and its speed on that very box. the
canaries go first and must keep it (its probation: 20 calls or a day); if one refuses it or takes it back, no other box is touched.
the others follow in waves, each when the one before serves it; where more than one box in ten would not have it, no wave follows.
a broker that goes away is waited for, ten minutes long.
broken off? give the same command again: each box tells how far it is, and nothing is done twice.
exit codes: 0 every box runs it, 1 not every box does, 2 wrong use
"""
# A box tells its `info` anew with the change; a slow line may deliver it after the verdict.
_INFO_S = 5.0


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
    parser.add_argument("--site", action="append", required=True, metavar="NAME", help="a site's name, or a pattern with *; repeatable")
    parser.add_argument("--device", action="append", metavar="NAME", help="a box, or a pattern with *; repeatable (default: every box)")
    parser.add_argument("--canary", default="5%", metavar="N", help="how many boxes go first: 5%% or 2; 0: all at once (default 5%%)")
    parser.add_argument("--wave", default="100", metavar="N", help="how many others get it at a time: 10%% or 100; 0: all (default 100)")
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

    from convert.fleet.drawn import Drawn, print_boxes
    from convert.fleet.fleet import Fleet
    from convert.fleet.rollout import Rollout, chosen, last_words
    from edge.clock import uuid7
    from edge.errors import BusError
    from edge.models.kinds import ROWS

    parcel = _parcel(args.bundle, args.expires)
    fleet = Fleet(broker_of(args), args.site, parcel.kind, client_id=f"undertone-push-{uuid7()}")
    fleet.open()
    with closing(fleet):
        found = list(chosen(fleet.boxes.values(), args.device or ["*"]))
        here = [box for box in found if box.state in {"online", "degraded"}]
        sites = ", ".join(args.site)
        if not here:
            known = ", ".join(f"{box.name} ({box.state})" for box in fleet.boxes.values()) or "none"
            raise BusError(
                "no such box is online", where=f"site '{sites}'", remedy=f"known there: {known}; check --site, --device and --prefix"
            )
        canaries, wave = _share("--canary", args.canary, len(here)), _share("--wave", args.wave, len(here))
        console = Console(highlight=False)
        size = f"{len(parcel.data) / 1000:.0f} kB"
        console.print(f"{parcel.label} ({parcel.kind}, {size}) to {len(here)} of {len(found)} boxes of {sites}, {canaries} of them first")
        with Drawn(console, parcel, here) as drawn:
            rollout = Rollout(fleet, parcel, here, drawn, silent_s=args.silent)
            good = rollout.run(canaries, wait_s=args.timeout * 3600, wave=wave, until_kept=args.until == Stage.KEPT)
        if ROWS[parcel.kind].swaps:
            last_words(fleet, found, parcel.version, _INFO_S)
        print_boxes(console, parcel, found)
        return 0 if good and len(here) == len(found) else 1


def _share(option: str, wanted: str, boxes: int) -> int:
    """Raises UsageError."""
    from convert.fleet.rollout import share_of
    from edge.errors import UsageError

    try:
        return share_of(wanted, boxes)
    except ValueError as error:
        remedy = "give a share like 5% or a number of boxes like 2"
        raise UsageError("no share of the boxes", where=f"{option} '{wanted}'", remedy=remedy) from error


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
