"""`undertone rules`: check a rules file, and try it on recordings or on stored events before it pages anybody."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from edge.bus.events import Alert
    from edge.call.rules import RuleSet
    from edge.call.tape import Tape
    from edge.config import Config
    from edge.engines import Engines

# A table in a file or a mail is read without a window around it.
_PIPED_WIDTH = 160

_EXAMPLES = """\
examples:
  undertone rules check                              the rules that this box came with
  undertone rules check rules.yaml                   is the file good, and what does it say?
  undertone rules check rules.yaml --config undertone.yaml
                                                     the same, with that box's causes and keywords
  undertone rules try rules.yaml call.wav            what would fire on a recording, when, and why
  undertone rules try rules.yaml events.jsonl        the same on stored events (undertone replay --json > events.jsonl)
  undertone rules try rules.yaml week/*.jsonl --against old.yaml
                                                     what changes if rules.yaml takes the place of old.yaml

docs/rules.md teaches how a rule is written. A running box takes a good new file over by itself, and keeps the old rules
while the new file is bad.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "rules",
        help="check alert rules, and try them on recordings or stored events",
        description="Alert rules: what makes an alert, how severe it is and to whom it goes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="say whether rules files are good, and list their rules")
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="rules files (none: the shipped rules)")
    check.add_argument("--config", type=Path, metavar="CONFIG", help="configuration whose causes and keywords the rules may name")
    check.set_defaults(run=run_check)
    attempt = actions.add_parser("try", help="what would have fired, when and why")
    attempt.add_argument("file", type=Path, metavar="FILE", help="the rules file to try ('shipped': those this box came with)")
    attempt.add_argument("on", nargs="+", type=Path, metavar="RECORDING_OR_EVENTS", help="recordings, or files of JSON-lines events")
    attempt.add_argument("--against", type=Path, metavar="OTHER", help="another rules file (or 'shipped'): show what differs from it")
    attempt.add_argument("--config", type=Path, metavar="CONFIG", help="configuration for hearing recordings")
    attempt.add_argument("--channels", metavar="ROLES", help="who is on each channel of the recordings, e.g. customer,agent")
    attempt.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else there")
    attempt.set_defaults(run=run_try)


def run_check(args: argparse.Namespace) -> int:
    """Load each file; a bad one ends with its error, and codes that nothing ever says are warned of."""
    from edge.call.codes import unheard
    from edge.call.rules import SHIPPED, load_rules
    from edge.cli.replay import configure
    from edge.words.causes import Causes
    from edge.words.lexicon import SIGNALS

    config = configure(args.config, mode=None, privacy=None)
    causes = Causes.load(Path(config.causes) if config.causes else None).codes
    keywords = [keyword.name for keyword in config.keywords]
    for path in args.files or [SHIPPED]:
        rules = load_rules(path)
        table = _table(f"{path}: {len(rules.rules)} rules, good", "rule", "severity", "route", "expires", "says")
        for rule in rules.rules:
            severity = " then ".join([rule.severity, *(rise.to for rise in rule.rises)])
            table.add_row(rule.id, severity, rule.route, f"{rule.expires_min:g} min", rule.says)
        _console().print(table)
        for warning in unheard(rules, causes=causes, signals=SIGNALS, keywords=keywords):
            print(f"undertone: {path}: {warning}", file=sys.stderr)
    return 0


def run_try(args: argparse.Namespace) -> int:
    """Play every call to the rules, and to the other rules where there are any."""
    from edge.call.rules import load_rules

    shipped = Path("shipped")
    tried = load_rules(None if args.file == shipped else args.file)
    other = None if args.against is None else load_rules(None if args.against == shipped else args.against)
    tapes = [tape for path in args.on for tape in _tapes(path, args)]
    tapes.sort(key=lambda tape: tape.started_at)
    rows = _rows(_fired(tapes, tried), None if other is None else _fired(tapes, other), args)
    if args.json:
        for row in rows:
            print(json.dumps(row))
        return 0
    _show(rows, tapes, compared=other is not None)
    return 0


def _fired(tapes: Sequence["Tape"], rules: "RuleSet") -> dict[str, list["Alert"]]:
    """Snapshots by alert id; the budget runs over all calls as it would have on the box."""
    from edge.call.ledger import Ledger
    from edge.call.tape import play

    ledger = Ledger()
    fired: dict[str, list[Alert]] = {}
    for tape in tapes:
        for alert in play(tape, rules, ledger):
            fired.setdefault(alert.alert, []).append(alert)
    return fired


def _rows(tried: dict[str, list["Alert"]], other: dict[str, list["Alert"]] | None, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row an alert: when it would open and why, how it would go on, and which of the two files it is of."""
    rows = []
    for alert in sorted({*tried, *(other or {})}):
        snapshots = tried.get(alert) or (other or {})[alert]
        first, last = snapshots[0], snapshots[-1]
        rows.append(
            {
                "call": first.call,
                "at": first.opened_at,
                "offset_ms": first.offset_ms,
                "rule": first.rule,
                "severity": first.severity,
                "severity_last": last.severity,
                "route": first.route,
                "cause": first.cause,
                "probability": first.probability,
                "drivers": [*first.drivers, *(driver for driver in last.drivers if driver not in first.drivers and "severity" in driver)],
                "utterances": [one.n for one in last.evidence],
                "updates": sum(one.state == "update" for one in snapshots),
                "end_reason": last.end_reason,
                "fires_in": _where(alert, tried, other, args),
            }
        )
    return sorted(rows, key=lambda row: (row["at"], row["rule"]))


def _where(alert: str, tried: dict[str, list["Alert"]], other: dict[str, list["Alert"]] | None, args: argparse.Namespace) -> str:
    if other is None:
        return str(args.file)
    if alert not in other:
        return f"only {args.file}"
    if alert not in tried:
        return f"only {args.against}"
    moved = (tried[alert][0].offset_ms - other[alert][0].offset_ms) / 1000
    changed = [f"{moved:+.1f} s"] if moved else []
    changed += [
        f"{name} {getattr(other[alert][-1], name)} -> {getattr(tried[alert][-1], name)}"
        for name in ("severity", "route", "end_reason")
        if getattr(other[alert][-1], name) != getattr(tried[alert][-1], name)
    ]
    return f"both, {', '.join(changed)}" if changed else "both"


def _show(rows: Sequence[dict[str, Any]], tapes: Sequence["Tape"], *, compared: bool) -> None:
    seconds = sum(max((one.end_ms for one in tape.utterances), default=0) for tape in tapes) / 1000
    counted = f"{len(rows)} alerts in {len(tapes)} calls ({seconds / 60:.1f} min of talk)"
    table = _table(counted, "call", "at", "rule", "severity", "route", "why", *(["fires in"] if compared else []))
    for row in rows:
        at = f"{row['offset_ms'] // 60_000:02d}:{row['offset_ms'] // 1000 % 60:02d}"
        why = "; ".join(row["drivers"])
        extra = [row["fires_in"]] if compared else []
        severity = " then ".join(dict.fromkeys((row["severity"], row["severity_last"])))
        table.add_row(row["call"][-12:], at, row["rule"], severity, row["route"], why, *extra)
    _console().print(table)


def _table(title: str, *columns: str) -> Any:  # noqa: ANN401 (rich is imported when it is used)
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _tapes(path: Path, args: argparse.Namespace) -> list["Tape"]:
    """The calls in a file of events, or in a recording heard now."""
    from edge.call.tape import read_tapes

    if not path.is_file():
        raise UsageError(f"{path}: no such file; give recordings, or files of events as `undertone replay --json` prints them")
    with path.open("rb") as file:
        is_events = file.read(1) == b"{"
    if not is_events:
        return read_tapes(_heard(path, args))
    try:
        with path.open("rb") as file:
            return read_tapes(file)
    except ValueError as error:
        raise UsageError(f"{path}: {error}; give events as `undertone replay --json` prints them, one a line") from error


def _heard(path: Path, args: argparse.Namespace) -> Iterator[bytes]:
    """The recording's events, through the same code as a live line."""
    from edge.replay import Envelopes, line_for, replay

    config, engines = _engines(args.config)
    line = line_for(path, config, args.channels)
    envelopes = Envelopes(config)
    for event in replay(path, line=line, config=config, engines=engines):
        yield envelopes.wrap(event)


@cache
def _engines(config: Path | None) -> "tuple[Config, Engines]":
    """Loaded once for all recordings."""
    from edge.cli.replay import configure
    from edge.loading import load_engines

    configured = configure(config, mode=None, privacy=None)
    return configured, load_engines(configured)


def _console() -> "Console":
    """The terminal; wide where nobody's window is the limit."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_WIDTH)
