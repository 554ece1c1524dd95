"""`undertone doctor`: is everything there that this box needs, and does it work?"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.box import add_config_if_any
from edge.cli.files import output_file

if TYPE_CHECKING:
    from edge.config import Config
    from edge.doctor.checks import Check

_EXAMPLES = """\
examples:
  undertone doctor                                 a new box: sound card, models, clock, disk, memory
  undertone doctor --config undertone.yaml         also each configured line, the outbox and the broker
  sudo systemctl stop undertone; sudo undertone doctor --config /etc/undertone/undertone.yaml
                                                   a box in service (the service holds the sound card)
  undertone doctor --bench --lines 4               how many lines can this box carry? (about two minutes)
  undertone doctor --config undertone.yaml --loop line-1       a tone out of the line's device must come back on it
  undertone doctor --config undertone.yaml --bundle help.zip   the table, versions, settings and log for whoever helps you:
                                                   no words, no sound, no secrets in it
  undertone doctor --json | jq                     for a program

each check really uses the thing: it records, infers, decodes, publishes and reads back, writes and syncs.
  good     works              look   works, but somebody should look at it
  failed   does not work      skipped   nothing is configured there
exit code 1 if any check failed
"""
_MOST_LINES = 64
_CREDENTIALS = "/run/credentials/undertone.service/"
_COLOURS = {"good": "green", "look": "yellow", "failed": "bold red", "skipped": "dim"}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="check audio, models, broker, clock, disk and rights by really using each",
        description="Check everything this box needs, and say what to do about what is wrong.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_if_any(parser)
    parser.add_argument("--json", action="store_true", help="a JSON array on stdout, nothing else there")
    parser.add_argument("--bench", action="store_true", help="measure how many lines this box can carry instead")
    parser.add_argument("--lines", type=_lines, default=8, metavar="N", help="with --bench: stop at N lines (default: 8)")
    parser.add_argument("--loop", metavar="LINE", help="play a tone and hear whether it comes back on LINE instead")
    parser.add_argument("--output", metavar="IDENTITY", help="with --loop: the device to play into (default: the line's own)")
    parser.add_argument("--bundle", type=output_file, metavar="FILE", help="write a support bundle (zip) as well")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine, or measure; 1 where something failed."""
    import logging

    from edge.config import load_config
    from edge.doctor.checks import examine
    from edge.errors import UsageError

    # What a check meets is in its finding; the journal's lines would only stand between them.
    logging.getLogger("undertone").addHandler(logging.NullHandler())
    config = None if args.config is None else _with_credentials(load_config(args.config))
    if config is None and (args.loop or args.bundle):
        raise UsageError(f"--{'loop' if args.loop else 'bundle'} needs the box's configuration", remedy="give --config FILE")
    if args.bench:
        return _bench(config, args)
    if config is not None and args.loop:
        return _show_all(_loop(config, args), args)[1]
    checks, code = _show_all(examine(config), args)
    if config is not None and args.bundle:
        _pack(args.bundle, config, checks)
    return code


def _loop(config: "Config", args: argparse.Namespace) -> "Iterator[Check]":
    from edge.doctor.checks import checked
    from edge.doctor.loop import loop
    from edge.errors import UsageError

    line = next((line for line in config.lines if line.name == args.loop), None)
    if line is None:
        raise UsageError(
            "no such line", where=f"--loop '{args.loop}'", remedy=f"there are: {', '.join(line.name for line in config.lines) or 'none'}"
        )
    yield checked(f"loop {line.name}", lambda: loop(line, args.output))


def _pack(path: Path, config: "Config", checks: "list[Check]") -> None:
    from edge.doctor.support import pack
    from edge.errors import StoreError

    try:
        names = pack(path, config, checks)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=path, remedy="give a file in a folder of yours") from error
    print(f"undertone: {path} written ({', '.join(names)}); it holds no words, no sound and no secrets", file=sys.stderr)


def _show_all(found: "Iterable[Check]", args: argparse.Namespace) -> "tuple[list[Check], int]":
    """Show each check as it is done; all of them, and the exit code. What is to be done is to be done to this box."""
    from edge.errors import for_box

    checks, as_json = [], args.json
    for done in found:
        remedy = None if done.finding.remedy is None else for_box(done.finding.remedy, args.config)
        check = replace(done, finding=replace(done.finding, remedy=remedy))
        checks.append(check)
        if not as_json:
            _show(len(checks), check)
    if as_json:
        import msgspec

        print(msgspec.json.encode([_row(check) for check in checks]).decode())
    bad = [check.name for check in checks if check.finding.outcome == "failed"]
    if bad and not as_json:
        print(f"undertone: {len(bad)} of {len(checks)} checks failed: {', '.join(bad)}", file=sys.stderr)
    return checks, 1 if bad else 0


def _row(check: "Check") -> dict[str, object]:
    found = check.finding
    return {"check": check.name, "outcome": found.outcome.value, "says": found.says, "remedy": found.remedy, "ms": check.took_ms}


def _show(number: int, check: "Check") -> None:
    """A row as soon as it is known: some checks take seconds, and a person waits on the phone."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = check.finding
    row = Table.grid(padding=(0, 1))
    for width in (2, 14, 7):
        row.add_column(width=width)
    row.add_column(overflow="fold")
    says = Text(found.says)
    if found.remedy:
        says.append(f"\n-> {found.remedy}", style="bold")
    row.add_row(str(number), check.name, Text(found.outcome.value, style=_COLOURS[found.outcome.value]), says)
    Console(highlight=False).print(row)


def _with_credentials(config: "Config") -> "Config":
    """The service gets its secrets from systemd, in a folder that is there only while it runs; root reads their originals."""
    import msgspec

    originals = {}
    for key in ("password_file", "key"):
        name = getattr(config.mqtt, key)
        if name and name.startswith(_CREDENTIALS) and not Path(name).exists():
            originals[key] = str(Path("/etc/undertone") / Path(name).name)
    return msgspec.structs.replace(config, mqtt=msgspec.structs.replace(config.mqtt, **originals))


def _bench(config: "Config | None", args: argparse.Namespace) -> int:
    from edge.config import Config
    from edge.doctor.capacity import estimates, keep, measure

    given = config or Config()
    capacity = measure(given, args.lines, lambda step: print(step, file=sys.stderr))
    if config is not None:
        keep(capacity, Path(config.state_dir))
    if args.json:
        import msgspec

        print(msgspec.json.encode(capacity).decode())
    else:
        busy = capacity.lines * capacity.share / capacity.cores
        print(f"this box carries {capacity.lines} line(s) of {capacity.channels} channel(s), each in a lively call")
        print(
            f"they keep {busy:.0%} of its {capacity.cores} cores busy: the margin is {1 - busy:.0%}; {capacity.late_s:.2f} s late at worst"
        )
        print("\n".join(estimates(capacity)))
    return 0 if capacity.lines else 1


def _lines(text: str) -> int:
    """A number of lines."""
    if text.isdecimal() and 1 <= int(text) <= _MOST_LINES:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of lines from 1 to {_MOST_LINES}")
