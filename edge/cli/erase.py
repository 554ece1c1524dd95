"""`undertone erase`: what the box still holds of calls is given up, by hand."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.box import add_config, load_box
from edge.errors import counted

if TYPE_CHECKING:
    from edge.config import Config
    from edge.outbox.outbox import Outbox

_EXAMPLES = """\
examples:
  sudo systemctl stop undertone
  sudo undertone erase --config /etc/undertone/undertone.yaml --older-than 30    unsent events of more than 30 days ago
  sudo undertone erase --config /etc/undertone/undertone.yaml --all              everything about calls, before a box goes elsewhere
  sudo undertone erase --config /etc/undertone/undertone.yaml --customer C-1044      everything about one customer
  sudo systemctl start undertone

what is erased is told to the broker with the next start: `gap` events name topics and numbers, so nobody waits for it. a customer
is given by the reference or the number that the switchboard said (exactly so); `erased` tells which calls and alerts went, and not whose
they were. a running box does the same for the command customer/erase (docs/bus.md).
models, numbering and settings stay. without being told, a running box erases what is older than `keep_days`.
flash memory may keep old blocks that no program can reach: where that matters, encrypt the disk, or destroy the card.
"""
_DAY_S = 86_400.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "erase",
        help="give up what this box still holds of calls",
        description="Erase unsent events and what else a stopped box holds of calls; say what it was.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--older-than", type=float, metavar="DAYS", help="only what is older")
    which.add_argument(
        "--all",
        action="store_true",
        help="all of it: also open calls and alerts, damaged files set aside, the last status, what lines are used to",
    )
    which.add_argument("--customer", metavar="REF_OR_NUMBER", help="all of one customer, and damaged files set aside")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Erase. Raises StoreError where a service runs, or the folder is not ours."""
    import logging
    import time

    from edge.errors import UsageError
    from edge.outbox import store
    from edge.outbox.outbox import Outbox

    if args.older_than is not None and not 0 <= args.older_than < float("inf"):
        raise UsageError(f"{args.older_than} is no number of days", where="--older-than", remedy="give days, 0 or more")
    logging.getLogger("undertone").addHandler(logging.NullHandler())
    config = load_box(args.config)
    path = Path(config.state_dir) / store.FILE
    if not path.exists():
        print(f"nothing to erase: {path} is not there (no service has run with this configuration)")
        return 0
    outbox = Outbox(path, max_bytes=config.outbox_max_mb * 1_000_000, site=config.site, device=config.device)
    if args.customer is not None:
        return _erase_customer(outbox, args.customer)
    try:
        # Ends of what a crash left open may hold quotes: they are erased with the rest, not made from it later.
        events = outbox.erase(None if args.all else time.time() - args.older_than * _DAY_S, open_too=args.all)
        left = outbox.counts().rows
    finally:
        outbox.close()
    files = _remove_files(config) if args.all else []
    print(f"erased: {counted(events, 'unsent event')}")
    for file in files:
        print(f"erased: {file}")
    print(f"left to be sent at the next start: {counted(left, 'event')}, with those that announce what was erased")
    return 0


def _erase_customer(outbox: "Outbox", customer: str) -> int:
    """Forget one customer; 1 where the disk does not take it."""
    from edge.wire.context import Customer

    try:
        erased = outbox.erase_customer(Customer(customer_ref=customer, callback=customer))
    finally:
        outbox.close()
    match erased:
        case None:
            print("not erased: the disk takes nothing; free space there, and try again", file=sys.stderr)
        case False:
            print("nothing is known of that customer here")
        case True:
            print("erased: all that this box held of that customer; its next start tells the broker which calls and alerts, and not whose")
    return int(erased is None)


def _remove_files(config: "Config") -> list[Path]:
    """Delete what else in the state directory may tell of calls; what was deleted. Raises StoreError."""
    import shutil

    from edge.errors import StoreError
    from edge.outbox import store
    from edge.service import status
    from edge.voice import baseline_file

    folder = Path(config.state_dir)
    found = [*folder.glob(f"{store.FILE}.damaged*"), folder / baseline_file.FILE, folder / "incoming"]
    there = [path for path in found if path.exists()]
    for path in there:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise StoreError(f"cannot be deleted: {error.strerror}", path=path, remedy="run this as root") from error
    try:
        return [*there, *status.remove(folder)]
    except OSError as error:
        raise StoreError(f"cannot be deleted: {error.strerror}", path=folder / status.FILE, remedy="run this as root") from error
