"""`undertone replay`: a recording through the same code as a live line."""

import argparse
import sys
from pathlib import Path

import msgspec

from edge.config import Config, load_config
from edge.errors import UsageError
from edge.values import Mode, Privacy

_EXAMPLES = """\
examples:
  undertone replay call.wav                          a call, drawn as a central system would see it
  undertone replay call.wav --json > events.jsonl    one CloudEvent a line, nothing else on stdout
  undertone replay call.wav --report call.html       a page with the call's timeline
  undertone replay call.wav --channels agent,customer
  undertone replay mono.wav --channels customer      a recording of the customer alone
  undertone replay call.wav --realtime               as fast as it was spoken

A recording of one channel is taken as a mixed line (words only) unless --channels says that it is the customer alone:
agents are never scored for emotion.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "replay",
        help="hear a recording and show what a central system would get",
        description="Send recordings through the whole pipeline: the same code that hears a live line.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="WAV, AIFF, FLAC, Ogg/Opus; any rate and width")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take site, device, first line, rules and models from it")
    parser.add_argument("--channels", metavar="ROLES", help="who is on each channel: customer,agent (default for two), mixed (for one)")
    parser.add_argument("--mode", choices=[m.value for m in Mode], help="branches that take part (default: both)")
    parser.add_argument("--privacy", choices=[p.value for p in Privacy], help="what may leave the box (default: numbers)")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--realtime", action="store_true", help="as fast as it was spoken")
    pace.add_argument("--fast", action="store_true", help="as fast as this machine can (default)")
    parser.add_argument("--chunk-ms", type=_chunk, metavar="N", help="feed N ms at a time; the events do not depend on it")
    parser.add_argument("--json", action="store_true", help="one CloudEvent a line on stdout, nothing else there")
    parser.add_argument("--report", type=Path, metavar="HTML", help="leave a self-contained page with the call's timeline")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay each file in turn."""
    if args.report and len(args.files) > 1:
        raise UsageError("--report takes one recording; replay the files one at a time")
    from edge.cli.console import Console
    from edge.loading import load_engines
    from edge.replay import Envelopes, line_for, replay

    config = configure(args.config, mode=args.mode, privacy=args.privacy)
    lines = [line_for(path, config, args.channels) for path in args.files]
    engines = load_engines(config)
    for reason in engines.missing.values():
        print(f"undertone: {reason}", file=sys.stderr)
    console = None if args.json else Console()
    envelopes = Envelopes(config)
    for path, line in zip(args.files, lines, strict=True):
        heard = []
        for event in replay(path, line=line, config=config, engines=engines, chunk_ms=args.chunk_ms, realtime=args.realtime):
            encoded = envelopes.wrap(event)
            heard.append(encoded)
            if console is None:
                print(encoded.decode(), flush=args.realtime)
            else:
                console.show(msgspec.json.decode(encoded))
        if not heard:
            print(f"undertone: {path}: no call in it: nobody spoke for two seconds", file=sys.stderr)
        if args.report:
            from edge.report.page import write_report

            write_report(args.report, [msgspec.json.decode(line) for line in heard], recording=path)
            print(f"undertone: report written to {args.report}", file=sys.stderr)
    return 0


def configure(path: Path | None, *, mode: str | None, privacy: str | None) -> Config:
    """The configuration at `path` (defaults without one), with what the command line says on top."""
    config = load_config(path) if path else Config()
    changes = {"mode": Mode(mode)} if mode else {}
    tier = {"privacy": Privacy(privacy)} if privacy else {}
    return msgspec.structs.replace(config, **changes, **tier)


def _chunk(text: str) -> int:
    """A whole number of milliseconds from 1 to 10,000."""
    value = int(text) if text.isdigit() else 0
    if not 1 <= value <= 10_000:  # noqa: PLR2004 (said in the message)
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of ms from 1 to 10000")
    return value
