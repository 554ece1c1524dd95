"""`undertone report`: the page of stored events."""

import argparse
import sys
from pathlib import Path

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
    parser.add_argument("events", type=Path, metavar="EVENTS", help="JSON lines as printed by replay --json or listen --json")
    parser.add_argument("page", type=Path, metavar="HTML", help="the page to write")
    parser.add_argument("--recording", type=Path, metavar="FILE", help="the call's recording, for its waveform")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from edge.report.calls import read_events
    from edge.report.page import write_report

    write_report(args.page, read_events(args.events), recording=args.recording)
    print(f"report written to {args.page}", file=sys.stderr)
    return 0
