"""`undertone report`: the page of stored events."""

import argparse
import sys
from pathlib import Path

import msgspec

from edge.cli.files import input_file, output_file
from edge.errors import SourceError

_EXAMPLES = """\
examples:
  undertone replay call.wav --json > events.jsonl
  undertone report events.jsonl call.html
  undertone report events.jsonl call.html --recording call.wav     with the waveform
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "report",
        help="draw stored events as a page with the call's timeline",
        description="Draw the calls in a file of events (one CloudEvent a line) as one self-contained HTML page.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("events", type=input_file, metavar="EVENTS", help="JSON lines as printed by replay --json or listen --json")
    parser.add_argument("page", type=output_file, metavar="HTML", help="the page to write")
    parser.add_argument("--recording", type=input_file, metavar="FILE", help="the call's recording, for its waveform")
    parser.add_argument("--config", type=Path, metavar="CONFIG", help="explain by its rules (default: those this box came with)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the page. Raises SourceError where the events cannot be read."""
    from edge.call.explain import behind_each_rule, explain_events
    from edge.call.rules.rule_set import load_rules
    from edge.cli.replay import configure
    from edge.report.calls import read_events
    from edge.report.page import write_report

    config = configure(args.config, mode=None, privacy=None)
    events = read_events(args.events)
    try:
        calls = explain_events((msgspec.json.encode(event) for event in events), load_rules(Path(config.rules) if config.rules else None))
    except ValueError as error:
        raise SourceError(
            f"{error}", path=args.events, remedy="give a file that `undertone replay --json` of this version printed"
        ) from error
    explained = {call.stored.call: behind_each_rule(call) for call in calls}
    write_report(args.page, events, recording=args.recording, explained=explained)
    print(f"report written to {args.page}", file=sys.stderr)
    return 0
