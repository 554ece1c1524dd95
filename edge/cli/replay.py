"""`undertone replay`: a recording through the same code as a live line."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.cli.files import input_file, output_file
from edge.config import Config, load_config
from edge.errors import InputError, SourceError, StoreError, UsageError, for_box, one_line
from edge.values import Mode, Privacy

if TYPE_CHECKING:
    from edge.call.engines import Engines
    from edge.call.replay import Envelopes
    from edge.call.rules.review import RuleReview
    from edge.cli.console import Console

_EXAMPLES = """\
examples:
  undertone replay call.wav                          a call, drawn as a central system would see it
  undertone replay call.wav --json > events.jsonl    one CloudEvent a line, nothing else on stdout
  undertone replay call.wav --report call.html       a page with the call's timeline
  undertone replay call.wav --channels agent,customer
  undertone replay mono.wav --channels customer      a recording of the customer alone
  undertone replay call.wav --baseline line.json     against what `undertone baseline learn` found this line is used to
  undertone replay call.wav --realtime               as fast as it was spoken
  undertone replay meeting.wav --pick 3,1            channels 3 and 1 of a recording that has more than two
  sox in.gsm -t wav - | undertone replay - --json    what a pipe brings, once it ends

A recording of one channel is taken as a mixed line (words only) unless --channels says that it is the customer alone:
agents are never scored for emotion. A recording that cannot be heard is named on stderr, and the others go on.
exit codes: 0 all were heard, 1 one could not be, 2 wrong use, or one is not there or may not be read
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
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="WAV, AIFF, FLAC, Ogg/Opus; any rate and width; - for standard input"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="take site, device, first line, rules and models from it")
    parser.add_argument("--channels", metavar="ROLES", help="who is on each channel: customer,agent (default for two), mixed (for one)")
    parser.add_argument("--pick", type=picked, metavar="N[,N]", default=(), help="the recording's channels to hear, counted from 1")
    parser.add_argument("--mode", choices=[m.value for m in Mode], help="branches that take part (default: both)")
    parser.add_argument("--privacy", choices=[p.value for p in Privacy], help="what may leave the box (default: numbers)")
    parser.add_argument("--baseline", type=input_file, metavar="FILE", help="what the line's voices are used to (default: as shipped)")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--realtime", action="store_true", help="as fast as it was spoken")
    pace.add_argument("--fast", action="store_true", help="as fast as this machine can (default)")
    parser.add_argument("--chunk-ms", type=_chunk, metavar="N", help="feed N ms at a time; the events do not depend on it")
    parser.add_argument("--json", action="store_true", help="one CloudEvent a line on stdout, nothing else there")
    parser.add_argument("--report", type=output_file, metavar="HTML", help="leave a self-contained page with the call's timeline")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay each file in turn."""
    if args.report and len(args.files) > 1:
        raise UsageError("--report takes one recording", remedy="replay the files one at a time")
    from edge.call.replay import Envelopes
    from edge.cli.console import Console

    config = configure(args.config, mode=args.mode, privacy=args.privacy)
    # Loaded for the first recording that can be heard: who mistyped a name is told at once.
    engines = cache(lambda: _engines(config, args))
    console = None if args.json else Console()
    envelopes = Envelopes(config)
    failed = 0
    for path in args.files:
        try:
            _replay(path, args, config, engines, envelopes, console)
        except (InputError, SourceError) as error:
            print(f"undertone: {error}", file=sys.stderr)
            failed = max(failed, error.exit_code)
    return failed


def _engines(config: Config, args: argparse.Namespace) -> "Engines":
    """What judges the recordings; what of it is missing is told."""
    from edge.models.loading import load_engines

    engines = used_to(load_engines(config), args.baseline)
    for reason in engines.missing.values():
        print(f"undertone: {for_box(str(reason), args.config)}", file=sys.stderr)
    return engines


def _replay(
    path: Path,
    args: argparse.Namespace,
    config: Config,
    engines: Callable[[], "Engines"],
    envelopes: "Envelopes",
    console: "Console | None",
) -> None:
    """One recording. Raises InputError, SourceError where it cannot be heard."""
    from edge.call.replay import line_for, replay
    from edge.capture.recording import recording

    source = recording(path)
    line = line_for(source, config, args.channels, args.pick)
    told: list[bytes] = []
    looks: list[RuleReview] = []
    pace = {"chunk_ms": args.chunk_ms, "realtime": args.realtime}
    watch = looks.append if args.report else None
    for event in replay(source, line=line, config=config, engines=engines(), pick=args.pick, watch=watch, **pace):
        encoded = envelopes.wrap(event)
        told.append(encoded)
        if console is None:
            print(encoded.decode(), flush=args.realtime)
        else:
            console.show(msgspec.json.decode(encoded))
    if not told:
        print(f"undertone: {one_line(str(path))}: no call in it: nobody spoke for two seconds", file=sys.stderr)
    if args.report:
        from edge.call.explain import behind_each_rule, joined
        from edge.report.page import write_report

        explained = {call.stored.call: behind_each_rule(call) for call in joined(told, looks)}
        write_report(args.report, [msgspec.json.decode(line) for line in told], recording=source, pick=args.pick, explained=explained)
        print(f"undertone: report written to {one_line(str(args.report))}", file=sys.stderr)


def used_to(engines: "Engines", path: Path | None) -> "Engines":
    """`engines` with the baseline file at `path`, if one is given; one that does not fit is refused by name, and the shipped prior used."""
    if path is None or engines.emotion is None:
        return engines
    from edge.call.baselines import Baselines
    from edge.voice import baseline_file

    try:
        return replace(engines, baselines=Baselines(baseline_file.read(path, model=engines.emotion.label)))
    except StoreError as error:
        print(f"undertone: {error}", "(the shipped prior is used)", file=sys.stderr)
        return engines


def configure(path: Path | None, *, mode: str | None, privacy: str | None) -> Config:
    """The configuration at `path` (defaults without one), with what the command line says on top."""
    config = load_config(path) if path else Config()
    changes = {"mode": Mode(mode)} if mode else {}
    tier = {"privacy": Privacy(privacy)} if privacy else {}
    return msgspec.structs.replace(config, **changes, **tier)


def picked(text: str) -> tuple[int, ...]:
    """One or two channel numbers from 1."""
    numbers = text.split(",")
    if len(numbers) > 2 or not all(n.strip().isdecimal() and 1 <= int(n) <= 1024 for n in numbers):  # noqa: PLR2004 (libsndfile's most)
        raise argparse.ArgumentTypeError(f"'{text}' is not one or two channel numbers from 1, such as 1,2")
    channels = tuple(int(n) for n in numbers)
    if len(set(channels)) < len(channels):
        raise argparse.ArgumentTypeError(f"'{text}' names one channel twice; {channels[0]} takes it alone")
    return channels


def _chunk(text: str) -> int:
    """A whole number of milliseconds from 1 to 10,000."""
    value = int(text) if text.isdigit() else 0
    if not 1 <= value <= 10_000:  # noqa: PLR2004 (said in the message)
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of ms from 1 to 10000")
    return value
