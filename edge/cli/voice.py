"""`undertone voice`: recordings of one customer through the voice path that the box uses."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli import replay
from edge.cli.files import input_bundle
from edge.errors import InputError, SourceError, one_line
from edge.values import ModelKind

if TYPE_CHECKING:
    from edge.voice.emotion import EmotionModel

_EXAMPLES = """\
examples:
  undertone voice angry.wav                     a table: seven emotions and how negative
  undertone voice clips/*.wav --json            one JSON object a line, for a script
  undertone voice call.wav --pick 1             the first channel alone
  undertone voice a.wav --model build/voice --allow-unsigned     another bundle than the shipped one

each recording is taken as one utterance of a customer, of any rate and format. of several channels their mean is judged, and that is
said; --pick 2 takes the second alone, as in `undertone replay`.
a clip that cannot be judged has null probabilities and a reason: too_short (under 0.3 s of voice), too_quiet.
a clip longer than ten minutes is refused: it is a call, and `undertone replay` hears calls. - hears what a pipe brings.
exit codes: 0 all clips were heard, 1 a clip could not be heard (the others were still judged), 2 wrong use, or a clip is not
there or may not be read (the others likewise)
"""

# One utterance of one customer, whole in memory (19 MB at 16 kHz).
_LONGEST_S = 600.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `undertone voice`."""
    parser = commands.add_parser(
        "voice",
        help="judge how a customer speaks in whole recordings",
        description="Judge how a customer speaks: each recording as one utterance through the voice path that the box uses.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording: WAV, FLAC, Ogg, MP3, AIFF")
    parser.add_argument("--json", action="store_true", help="one JSON object a line on stdout, nothing else there")
    parser.add_argument("--pick", type=replay.picked, metavar="N[,N]", default=(), help="the recordings' channels to judge, counted from 1")
    parser.add_argument("--model", type=input_bundle, metavar="DIR", help="a voice bundle to use instead of the shipped or installed one")
    parser.add_argument("--allow-unsigned", action="store_true", help="take a bundle that nobody signed, such as one just trained")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge each file; a bad one is named on stderr and the others go on."""
    from edge.bundle.signature import trust_of
    from edge.bundle.store import require_bundle
    from edge.config import Config, ModelsConfig
    from edge.voice.emotion import EmotionModel

    config = Config(models=ModelsConfig(allow_unsigned=args.allow_unsigned))
    model = EmotionModel.load(args.model or require_bundle(ModelKind.VOICE, config), trust=trust_of(config))
    failed, several = 0, False
    for path in args.files:
        try:
            result = judge(model, path, args.pick)
        except (InputError, SourceError) as error:
            print(f"undertone voice: {error}", file=sys.stderr)
            failed = max(failed, error.exit_code)
            continue
        print(json.dumps(result) if args.json else as_text(result, picked=bool(args.pick)), flush=True)
        several = several or (len(result["channels"]) > 1 and not args.pick)
    if several:
        remedy = "--pick 1 judges the first alone; a call of two people is for `undertone replay`"
        print(f"undertone voice: of several channels the mean was judged, as if one person spoke; {remedy}", file=sys.stderr)
    return failed


def judge(model: "EmotionModel", path: Path, pick: tuple[int, ...] = ()) -> dict[str, Any]:
    """What the voice path says of the recording at `path`, as one JSON-ready object; `pick`: of these channels of it, from 1.

    Raises InputError, SourceError.
    """
    from edge.capture.recording import recording
    from edge.capture.wavfile import channel_count, read_clip
    from edge.signal.resample import resample
    from edge.values import Absent
    from edge.voice.clip import whole_clip

    source = recording(path)
    reading = model.read(whole_clip(resample(*read_clip(source, longest_s=_LONGEST_S, pick=pick))))
    about = {"file": one_line(str(path)), "channels": list(pick or range(1, channel_count(source) + 1))}
    if isinstance(reading, Absent):
        return about | {"probs": None, "p_negative": None, "label": None, "quality": None, "reason": reading.reason}
    return about | {
        "probs": {label: round(p, 6) for label, p in reading.probs.items()},
        "p_negative": round(reading.p_negative, 6),
        "label": reading.label,
        "quality": round(reading.evidence.quality, 4),
        "reason": None,
    }


def as_text(result: dict[str, Any], *, picked: bool) -> str:
    """One line for a person, with the channels where there are several, or some were `picked`."""
    of = ""
    if picked or len(result["channels"]) > 1:
        channels = " and ".join(map(str, result["channels"]))
        of = f" (mean of channels {channels})" if len(result["channels"]) > 1 else f" (channel {channels})"
    if result["probs"] is None:
        return f"{result['file']}{of}: not judged ({result['reason']})"
    best = sorted(result["probs"].items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{label} {p:.0%}" for label, p in best)
    return f"{result['file']}{of}: negative {result['p_negative']:.0%}; {named}; quality {result['quality']:.2f}"
