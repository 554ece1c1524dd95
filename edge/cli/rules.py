"""`undertone rules`: check a rules file, and try it on recordings or on stored events before it pages anybody."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.tables import events_of, table_of, terminal
from edge.errors import SourceError

if TYPE_CHECKING:
    from edge.call.engines import Engines
    from edge.call.rules.rule_set import RuleSet
    from edge.call.stored_call import StoredCall
    from edge.capture.recording import Recording
    from edge.config import Config
    from edge.wire.events import Alert
    from edge.wire.parts import ReasonData

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
    check = actions.add_parser(
        "check",
        help="say whether rules files are good, and list their rules",
        description="Say whether rules files are good, list their rules, and warn of codes that nothing ever says.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="rules files (none: the shipped rules)")
    check.add_argument("--config", type=Path, metavar="CONFIG", help="configuration whose causes and keywords the rules may name")
    check.set_defaults(run=run_check)
    attempt = actions.add_parser(
        "try",
        help="what would have fired, when and why",
        description="Play recordings or stored events to a rules file: what would have fired, when and why; or what another file changes.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    attempt.add_argument("file", type=Path, metavar="FILE", help="the rules file to try ('shipped': those this box came with)")
    attempt.add_argument("on", nargs="+", type=Path, metavar="RECORDING_OR_EVENTS", help="recordings, or files of JSON-lines events")
    attempt.add_argument("--against", type=Path, metavar="OTHER", help="another rules file (or 'shipped'): show what differs from it")
    attempt.add_argument("--config", type=Path, metavar="CONFIG", help="configuration for hearing recordings")
    attempt.add_argument("--channels", metavar="ROLES", help="who is on each channel of the recordings, e.g. customer,agent")
    attempt.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else there")
    attempt.set_defaults(run=run_try)


def run_check(args: argparse.Namespace) -> int:
    """Load each file; a bad one ends with its error, and codes that nothing ever says are warned of."""
    from edge.call.rules.codes import unheard
    from edge.call.rules.rule_set import SHIPPED, load_rules
    from edge.cli.replay import configure
    from edge.phrases.causes import Causes
    from edge.values import Signal

    config = configure(args.config, mode=None, privacy=None)
    causes = Causes.load(Path(config.causes) if config.causes else None).codes
    keywords = [keyword.name for keyword in config.keywords]
    for path in args.files or [SHIPPED]:
        rules = load_rules(path)
        table = table_of(f"{path}: {len(rules.rules)} rules, good", "rule", "severity", "route", "expires", "says")
        for rule in rules.rules:
            severity = " then ".join([rule.severity, *(rise.to for rise in rule.rises)])
            table.add_row(rule.id, severity, rule.route, f"{rule.expires_min:g} min", rule.says)
        terminal().print(table)
        for warning in unheard(rules, causes=causes, signals=tuple(Signal), keywords=keywords):
            print(f"undertone: {path}: {warning}", file=sys.stderr)
    return 0


def run_try(args: argparse.Namespace) -> int:
    """Play every call to the rules, and to the other rules where there are any."""
    from edge.call.rules.rule_set import load_rules

    shipped = Path("shipped")
    tried = load_rules(None if args.file == shipped else args.file)
    other = None if args.against is None else load_rules(None if args.against == shipped else args.against)
    calls = [stored for path in args.on for stored in _stored_calls(path, args)]
    calls.sort(key=lambda stored: stored.started_at)
    rows = _rows(_fired(calls, tried), None if other is None else _fired(calls, other), args)
    if args.json:
        for row in rows:
            print(json.dumps(row))
        return 0
    _show(rows, calls, compared=other is not None)
    return 0


def _fired(calls: Sequence["StoredCall"], rules: "RuleSet") -> dict[str, list["Alert"]]:
    """Snapshots by call and rule, those from which on the rule is a reason; the budget runs over all calls as it would have on the box."""
    from edge.call.rules.alert_history import AlertHistory
    from edge.call.stored_call import play

    alert_history = AlertHistory()
    fired: dict[str, list[Alert]] = {}
    for stored in calls:
        for alert in play(stored, rules, alert_history):
            for reason in alert.reasons:
                fired.setdefault(f"{alert.call}:{reason.rule}", []).append(alert)
    return fired


def _reason(key: str, alert: "Alert") -> "ReasonData":
    """The reason that `key` of `_fired` is about."""
    return next(one for one in alert.reasons if key == f"{alert.call}:{one.rule}")


def _rows(tried: dict[str, list["Alert"]], other: dict[str, list["Alert"]] | None, args: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a finding: when it would be told and why, how its alert would go on, and which of the two files it is of."""
    rows = []
    for key in sorted({*tried, *(other or {})}):
        snapshots = tried.get(key) or (other or {})[key]
        alert = snapshots[0]
        first, last = _reason(key, alert), _reason(key, snapshots[-1])
        rows.append(
            {
                "call": alert.call,
                "at": alert.updated_at,
                "offset_ms": first.offset_ms,
                "rule": first.rule,
                "severity": first.severity,
                "severity_last": last.severity,
                "route": first.route,
                "alert_severity": alert.severity,
                "alert_route": alert.route,
                "cause": first.cause,
                "probability": first.probability,
                "drivers": [*first.drivers, *(driver for driver in last.drivers if driver not in first.drivers and "severity" in driver)],
                "utterances": [one.n for one in last.evidence],
                "opens": alert.revision == 1,
                "withdrawn": last.withdrawn,
                "fires_in": _where(key, tried, other, args),
            }
        )
    return sorted(rows, key=lambda row: (row["at"], row["rule"]))


def _where(key: str, tried: dict[str, list["Alert"]], other: dict[str, list["Alert"]] | None, args: argparse.Namespace) -> str:
    if other is None:
        return str(args.file)
    if key not in other:
        return f"only {args.file}"
    if key not in tried:
        return f"only {args.against}"
    here, there = (_reason(key, snapshots[key][0]) for snapshots in (tried, other))
    here_last, there_last = (_reason(key, snapshots[key][-1]) for snapshots in (tried, other))
    moved = (here.offset_ms - there.offset_ms) / 1000
    changed = [f"{moved:+.1f} s"] if moved else []
    changed += [
        f"{name} {getattr(there_last, name)} -> {getattr(here_last, name)}"
        for name in ("severity", "route", "withdrawn")
        if getattr(there_last, name) != getattr(here_last, name)
    ]
    return f"both, {', '.join(changed)}" if changed else "both"


def _show(rows: Sequence[dict[str, Any]], calls: Sequence["StoredCall"], *, compared: bool) -> None:
    seconds = sum(max((one.end_ms for one in stored.utterances), default=0) for stored in calls) / 1000
    alerted = len({row["call"] for row in rows})
    counted = f"{len(rows)} findings, {alerted} of {len(calls)} calls alerted about ({seconds / 60:.1f} min of talk)"
    table = table_of(counted, "call", "at", "rule", "severity", "route", "why", *(["fires in"] if compared else []))
    for row in rows:
        at = f"{row['offset_ms'] // 60_000:02d}:{row['offset_ms'] // 1000 % 60:02d}"
        why = "; ".join(row["drivers"])
        extra = [row["fires_in"]] if compared else []
        severity = " then ".join(dict.fromkeys((row["severity"], row["severity_last"])))
        table.add_row(row["call"][-12:], at, row["rule"], severity, row["route"], why, *extra)
    terminal().print(table)


def _stored_calls(path: Path, args: argparse.Namespace) -> list["StoredCall"]:
    """The calls in a file of events, or in a recording heard now."""
    from edge.call.stored_call import read_stored_calls
    from edge.capture.recording import recording

    source = recording(path)
    events = events_of(source)
    if events is None:
        return read_stored_calls(_heard(source, args))
    try:
        return read_stored_calls(events)
    except ValueError as error:
        raise SourceError(f"{error}", path=path, remedy="give events as `undertone replay --json` prints them, one a line") from error


def _heard(source: "Recording", args: argparse.Namespace) -> Iterator[bytes]:
    """The recording's events, through the same code as a live line."""
    from edge.call.replay import Envelopes, line_for, replay

    config, engines = _engines(args.config)
    line = line_for(source, config, args.channels)
    envelopes = Envelopes(config)
    for event in replay(source, line=line, config=config, engines=engines):
        yield envelopes.wrap(event)


@cache
def _engines(config: Path | None) -> "tuple[Config, Engines]":
    """Loaded once for all recordings."""
    from edge.cli.replay import configure
    from edge.models.loading import load_engines

    configured = configure(config, mode=None, privacy=None)
    return configured, load_engines(configured)
