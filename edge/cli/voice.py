"""`undertone voice`: recordings of one customer through the voice path that the box uses."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.files import input_bundle
from edge.errors import InputError, SourceError, one_line
from edge.values import ModelKind

if TYPE_CHECKING:
    from edge.voice.emotion import EmotionModel

_EXAMPLES = """\
examples:
  undertone voice angry.wav                     a table: seven emotions and how negative
  undertone voice clips/*.wav --json            one JSON object a line, for a script
  undertone voice a.wav --model build/voice --allow-unsigned     another bundle than the shipped one

each recording is taken as one utterance of a customer, mono (the mean of its channels), of any rate and format.
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
    failed = 0
    for path in args.files:
        try:
            result = judge(model, path)
        except (InputError, SourceError) as error:
            print(f"undertone voice: {error}", file=sys.stderr)
            failed = max(failed, error.exit_code)
            continue
        print(json.dumps(result) if args.json else as_text(result), flush=True)
    return failed


def judge(model: "EmotionModel", path: Path) -> dict[str, Any]:
    """What the voice path says of the recording at `path`, as one JSON-ready object. Raises InputError, SourceError."""
    from edge.capture.recording import recording
    from edge.capture.wavfile import read_clip
    from edge.signal.resample import resample
    from edge.values import Absent
    from edge.voice.clip import whole_clip

    reading = model.read(whole_clip(resample(*read_clip(recording(path), longest_s=_LONGEST_S))))
    if isinstance(reading, Absent):
        return {"file": one_line(str(path)), "probs": None, "p_negative": None, "label": None, "quality": None, "reason": reading.reason}
    return {
        "file": one_line(str(path)),
        "probs": {label: round(p, 6) for label, p in reading.probs.items()},
        "p_negative": round(reading.p_negative, 6),
        "label": reading.label,
        "quality": round(reading.evidence.quality, 4),
        "reason": None,
    }


def as_text(result: dict[str, Any]) -> str:
    """One line for a person."""
    if result["probs"] is None:
        return f"{result['file']}: not judged ({result['reason']})"
    best = sorted(result["probs"].items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{label} {p:.0%}" for label, p in best)
    return f"{result['file']}: negative {result['p_negative']:.0%}; {named}; quality {result['quality']:.2f}"
