"""`undertone baseline`: what a line's callers sound like when nothing is the matter, learnt from recordings."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from edge.cli.files import output_file
from edge.cli.replay import configure, picked

_EXAMPLES = """\
examples:
  undertone baseline learn monday/*.wav --out line-1.json        a line's ordinary calls, customer on the left channel
  undertone baseline learn old/*.wav --channels agent,customer --out line-1.json
  undertone replay call.wav --baseline line-1.json               hear a recording against it

take ordinary calls as they come, ten or more, none picked: the middle of them is what counts, so a few angry ones do no harm.
the file holds a few numbers and no sound, word or name. it belongs to the voice model that it was learnt with.
a box learns its lines' baselines by itself, a little with each call; `undertone status` shows them.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "baseline",
        help="learn from recordings what a line's voices are used to",
        description="The voice is judged by how far it is from what a line is used to.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    learn = actions.add_parser(
        "learn",
        help="learn it from recordings of ordinary calls",
        description="Hear recordings of a line's ordinary calls, and write what their voices have in common.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    learn.add_argument("calls", nargs="+", type=Path, metavar="CALL", help="recordings: WAV, AIFF, FLAC, Ogg/Opus; any rate and width")
    learn.add_argument("--out", type=output_file, required=True, metavar="FILE", help="where to write what was learnt")
    learn.add_argument("--config", type=Path, metavar="FILE", help="take the first line and the models from it")
    learn.add_argument("--channels", metavar="ROLES", help="who is on each channel: customer,agent (default for two); customer for one")
    learn.add_argument("--pick", type=picked, metavar="N[,N]", default=(), help="the recordings' channels to hear, counted from 1")
    learn.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hear each recording and write what they have in common. Raises UsageError where no customer was heard in any."""
    from edge.call.baselines import CallsHeard
    from edge.call.replay import line_for, replay
    from edge.capture.recording import recording
    from edge.errors import StoreError, UsageError
    from edge.models.loading import load_engines
    from edge.values import Mode
    from edge.voice import baseline_file
    from edge.voice.baseline import learnt

    config = configure(args.config, mode=Mode.VOICE, privacy=None)
    calls = [recording(path) for path in args.calls]
    lines = [line_for(call, config, args.channels, args.pick) for call in calls]
    heard = CallsHeard()
    engines = replace(load_engines(config), baselines=heard)
    if engines.emotion is None:
        raise UsageError("no voice model on this box", remedy="run `undertone doctor`")
    for path, call, line in zip(args.calls, calls, lines, strict=True):
        before = sum(map(len, heard.calls))
        for _ in replay(call, line=line, config=config, engines=engines, pick=args.pick):
            pass
        print(f"undertone: {path}: {sum(map(len, heard.calls)) - before} utterances of a customer", file=sys.stderr)
    found = learnt(engines.emotion.prior, heard.calls)
    if not found.calls:
        raise UsageError(
            "no call with enough of a customer's voice", remedy="give calls of a minute or more, and --channels customer for mono ones"
        )
    try:
        baseline_file.write(args.out, {baseline_file.ANY_LINE: found})
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=args.out, remedy="give another place") from error
    print(
        f"{args.out}: {found.calls} calls, {found.utterances} utterances: negative {found.negative.centre:+.2f} "
        f"(spread {found.negative.spread:.2f}), positive {found.positive.centre:+.2f} ({found.positive.spread:.2f}), for {found.model}"
    )
    return 0
