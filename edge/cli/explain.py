"""`undertone explain`: why there was an alert, or none."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.bars import clean, clock
from edge.cli.tables import events_of, table_of, terminal
from edge.errors import SourceError, UsageError, for_box

if TYPE_CHECKING:
    from edge.call.explain import ExplainedCall

Row = dict[str, Any]

_EXAMPLES = """\
examples:
  undertone explain call.wav                         each rule: its alert, or how near it came and what was missing
  undertone explain call.wav --at 42                 each rule as it stood 42 s into the call
  undertone explain call.wav --rule sustained-anger  every moment of one rule
  undertone explain events.jsonl --config undertone.yaml
                                                     stored events (undertone replay --json), by the rules of that box
  undertone replay call.wav --json | undertone explain -
                                                     what a pipe brings, events or a recording, once it ends
  undertone explain call.wav --json                  every moment of every rule, one JSON object a line

"nearness" is how much of what the rule needed was there: 100 % where it holds. It is no probability.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="why there was an alert in a call, or none",
        description="For each rule: its alert, or how near it came and what was missing; what was dropped and why. No words of the call.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="CALL_OR_EVENTS", help="a recording, or JSON lines of events; - for standard input")
    parser.add_argument("--at", type=float, metavar="SECONDS", help="as it stood so many seconds into the call")
    parser.add_argument("--rule", metavar="ID", help="this rule alone, at every moment that changed something")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take rules, models and first line from it")
    parser.add_argument("--channels", metavar="ROLES", help="who is on each channel of the recording, e.g. customer,agent")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain every call in the file."""
    calls = _calls(args)
    if not calls:
        print(f"undertone: {args.file}: no call in it", file=sys.stderr)
    for call in calls:
        rows = _rows(call, args)
        if args.json:
            for row in rows:
                print(json.dumps(row))
        else:
            _show(call, rows)
    return 0


def _calls(args: argparse.Namespace) -> "Sequence[ExplainedCall]":
    from edge.call.explain import explain_events, explain_recording
    from edge.call.replay import line_for
    from edge.call.rules.rule_set import load_rules
    from edge.capture.recording import recording
    from edge.cli.replay import configure
    from edge.models.loading import load_engines

    config = configure(args.config, mode=None, privacy=None)
    source = recording(args.file)
    events = events_of(source)
    if events is None:
        line, engines = line_for(source, config, args.channels), load_engines(config)
        for reason in engines.missing.values():
            print(f"undertone: {for_box(str(reason), args.config)}", file=sys.stderr)
        return explain_recording(source, line=line, config=config, engines=engines)[0]
    rules = load_rules(Path(config.rules) if config.rules else None)
    try:
        return explain_events(events, rules)
    except ValueError as error:
        raise SourceError(f"{error}", path=args.file, remedy="give events as `undertone replay --json` prints them, one a line") from error


def _rows(call: "ExplainedCall", args: argparse.Namespace) -> list[Row]:
    """What was asked for: one moment of each rule, or each moment of one rule; all of them for a program."""
    from edge.call.explain import row

    if args.rule is not None and args.rule not in call.rules:
        raise UsageError(f"--rule '{args.rule}': no such rule was looked at", remedy=f"there is {', '.join(call.rules) or 'none'}")
    wanted = [args.rule] if args.rule is not None else call.rules
    if args.at is not None:
        at_ms = round(args.at * 1000)
        if not 0 <= at_ms <= call.duration_ms:
            raise UsageError(
                f"--at {args.at:g}: the call was looked at from 0 to {call.duration_ms / 1000:.1f} s", remedy="give a moment in it"
            )
        return [row(look) for rule in wanted if (look := call.at(rule, at_ms)) is not None]
    if args.rule is not None or args.json:
        return [row(look) for rule in wanted for look in call.of(rule)]
    return [row(call.decisive(rule)) for rule in wanted]


def _show(call: "ExplainedCall", rows: Sequence[Row]) -> None:
    console = terminal()
    table = table_of(
        f"call {clean(call.stored.call)} on {clean(call.stored.line)}", "at", "rule", "what became of it", "needed", "there was"
    )
    for row in rows:
        conditions = row["conditions"] or [{"asked": "", "needed": "", "had": "", "holds": True}]
        for number, one in enumerate(conditions):
            first = number == 0
            mark = "" if not one["asked"] else "held   " if one["holds"] else "missing"
            needed = f"{mark} {clean(one['asked'])}: {clean(one['needed'])}" if one["asked"] else ""
            became = _became(row) if first else ""
            table.add_row(clock(row["at_ms"]) if first else "", row["rule"] if first else "", became, needed, clean(one["had"]))
        for reason, count in row["passed_over"].items():
            table.add_row("", "", "", f"passed over: {count} utterances", clean(reason))
    console.print(table)
    for branch, reasons in call.abstained.items():
        if reasons:
            said = ", ".join(f"{clean(reason)} {count}" for reason, count in reasons.items())
            console.print(f"customer's utterances not judged by {'both together' if branch == 'fused' else branch}: {said}")


def _became(row: Row) -> str:
    whom = "the team of its cause" if row["route"] == "cause" else f"team {row['route']}"
    said = {
        "opened": f"alert to {whom}, severity {row['severity']}: {clean(row['says'])}",
        "told_before": "its alert had gone out before, in this call",
        "budget": "held back",
        "cooldown": "held back",
        "not_met": f"not met, {row['nearness']:.0%} there",
    }[row["decision"]]
    return f"{said} ({clean(row['note'])})" if row["note"] else said
