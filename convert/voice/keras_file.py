"""`undertone-convert convert`: a technician's own Keras net to the same checked, calibrated int8 bundle as ours."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convert.pack import version
from convert.sound.corpora import CORPORA, add_corpora, given_corpora
from edge.errors import ModelError, UsageError
from edge.signal.spec import SPEC
from edge.voice.labels import LABELS

if TYPE_CHECKING:
    from convert.sound.dataset import Prepared
    from convert.sound.splits import Split

_SHAPE = (SPEC.frames, SPEC.bands, SPEC.planes)
_EXAMPLES = f"""\
examples:
  undertone-convert convert net.keras --labels {",".join(LABELS)} --features undertone --ravdess RAVDESS --out build/ours
  undertone-convert convert net.h5 --labels neutral,happy,sad,angry,fear,disgust,surprised --features spec.json --csv clips.csv

what fits: one input of shape {_SHAPE} of this program's own features (edge.signal.features: {SPEC.frames} frames
of {1000 * SPEC.hop_samples // SPEC.rate} ms; {SPEC.bands} mel bands, levelled to the speech, and as many pitches, all -1..1), or
{(*_SHAPE[:2], 1)} of the mel bands alone; and one output of {len(LABELS)} scores, one for each of
{", ".join(LABELS)}, in any order that --labels says.
a softmax at its end is taken off. make the features of your training clips with edge.signal.features.windows(spectrogram(pcm)).

the clips (--ravdess and so on) set the ranges of int8, calibrate on some speakers, and say what the net is worth on others:
name only clips that your net has not learnt from, or its figures flatter.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "convert",
        help="take an existing Keras net that accepts our features to a checked int8 bundle",
        description="Quantise, calibrate, judge and pack a Keras net that was trained elsewhere on this program's features.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("keras_file", type=Path, metavar="KERAS_FILE", help="a .keras or .h5 file")
    parser.add_argument("--labels", required=True, metavar="LIST", help="what its outputs mean, in order, with commas")
    parser.add_argument("--features", required=True, metavar="SPEC", help="'undertone', or a JSON file with the feature spec it learnt on")
    add_corpora(parser)
    parser.add_argument("--out", type=Path, default=Path("build/voice"), metavar="DIR", help="where the bundle goes (default build/voice)")
    parser.add_argument("--name", default="voice", metavar="NAME", help="name of the bundle (default voice)")
    parser.add_argument("--version", type=version, default="1.0.0", metavar="X.Y.Z", help="version of the bundle (default 1.0.0)")
    parser.add_argument("--licence", default="unknown: ask who trained it", metavar="TEXT", help="licence of what it learnt from")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign the bundle with (default: unsigned)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which clips calibrate (default 1)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"), metavar="DIR", help="features of the clips; shared with train")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Everything that can be refused at once comes first; clips are read last."""
    order = label_order(args.labels)
    check_features(args.features)
    roots = given_corpora(args)
    if not roots:
        raise UsageError(
            "convert: no clips to quantise by", remedy=f"give at least one of {', '.join(f'--{name}' for name in CORPORA)}, --csv"
        )
    if not args.keras_file.is_file():
        raise ModelError("no such file", path=args.keras_file, remedy="give a .keras or .h5 file")
    from convert.sound.corpora import gather
    from convert.sound.dataset import cache, load
    from convert.sound.splits import by_speaker

    net = _fitting_net(args.keras_file, order)
    prepared = load(cache(gather(roots), args.cache, copies=0, seed=args.seed))
    return _bundle(net, prepared, by_speaker(prepared.clips, args.seed), args)


def label_order(written: str) -> tuple[int, ...]:
    """Where each of our labels is among the net's outputs. Raises UsageError naming what is wrong."""
    given = [part.strip().lower() for part in written.split(",")]
    unknown = [name for name in given if name not in LABELS]
    missing = [name for name in LABELS if name not in given]
    if unknown or missing or len(given) != len(LABELS):
        what = f"'{unknown[0]}' is none of ours" if unknown else f"'{missing[0]}' is missing" if missing else "one is there twice"
        raise UsageError(
            what, where=f"--labels {written}", remedy=f"a net that fits has these {len(LABELS)} outputs, in any order: {', '.join(LABELS)}"
        )
    return tuple(given.index(name) for name in LABELS)


def check_features(written: str) -> None:
    """Raise UsageError unless the net learnt on the features that the box works out."""
    if written == "undertone":
        return
    path, ours = Path(written), SPEC.as_dict()
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            "neither 'undertone' nor a JSON file", where=f"--features {written}", remedy=f"ours is {json.dumps(ours)}"
        ) from error
    theirs = spec if isinstance(spec, dict) else {}
    for key in dict.fromkeys([*ours, *theirs]):
        if theirs.get(key) != ours.get(key):
            raise UsageError(
                f"'{key}': it learnt on {theirs.get(key, 'nothing stated')} and the box works out {ours.get(key, 'no such thing')}",
                where=f"--features {written}",
                remedy="train it on the features of edge.signal.features",
            )


def _fitting_net(path: Path, order: Sequence[int]) -> object:
    """The Keras net, its outputs in our order and without softmax. Raises ModelError saying what would fit."""
    from convert.voice.network import adapt, load_keras

    fits = f"a net that fits takes {_SHAPE} and gives {len(LABELS)} scores; see `undertone-convert convert --help`"
    try:
        net = load_keras(path)
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"Keras cannot load it ({reason})", path=path, remedy="save it with Keras 3 as .keras, without custom layers"
        ) from error
    try:
        return adapt(net, order)
    except ValueError as error:
        raise ModelError(str(error), path=path, remedy=fits) from error


def _bundle(net: object, prepared: "Prepared", split: "Split", args: argparse.Namespace) -> int:
    """Quantise, calibrate, judge, pack."""
    from dataclasses import replace

    import numpy as np

    from convert.voice.augment import Sampler
    from convert.voice.bundle import Made, judge, write
    from convert.voice.network import to_int8
    from convert.voice.train import calibrated_on
    from edge.bundle.signature import Trust
    from edge.voice.emotion import EmotionModel

    try:
        small = to_int8(net, Sampler(prepared).representative(400, np.random.default_rng([args.seed, 9999])))
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:160]
        raise ModelError(f"cannot be made int8 ({reason})", path=args.keras_file, remedy="use layers that TFLite has in int8") from error
    args.cache.mkdir(parents=True, exist_ok=True)
    calibration = calibrated_on(small, None, prepared, split, args.cache / "convert.tflite")
    made = Made(
        name=args.name, version=args.version, calibration=calibration, prosody=None, metrics={},
        licence=args.licence,
        provenance={"made_by": "undertone-convert convert", "keras_file": args.keras_file.name, "judged": "on a part of the clips given"},
    )  # fmt: skip
    write(args.out, small, made, None)
    model = EmotionModel.load(args.out, trust=Trust(allow_unsigned=True))
    metrics = judge(model, [prepared.clips[i] for i in (*split.test, *split.words)], "judging")
    bundle = write(args.out, small, replace(made, metrics=metrics), args.key)
    print("clips that calibrated nothing, G.711, int8, through edge.voice:")
    for name in sorted(metrics):
        print(f"  {name:28} {metrics[name]:.3f}")
    print(f"{bundle.label}: {args.out} ({len(small) / 1000:.0f} kB), {'signed' if bundle.signed_by else 'unsigned'}")
    return 0
