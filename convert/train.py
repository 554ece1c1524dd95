"""`undertone-convert train`: corpora in, a checked bundle out, with what it is worth on speakers it never heard."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convert.corpora import gather
from convert.learning import DEFAULT, QUICK, Recipe, Training, learn, side_by_side
from convert.pack import version
from convert.splits import Split, by_speaker
from edge.errors import UsageError

if TYPE_CHECKING:
    from convert.dataset import Prepared
    from convert.network import Trainer
    from edge.voice.calibration import Calibration
    from edge.voice.prosody import Prosody

_EXAMPLES = """\
examples:
  undertone-convert train --ravdess RAVDESS --tess TESS --nemo nEMO --ased ASED     the recipe of the shipped model
  undertone-convert train --tess TESS --quick                                       a try of a few minutes
  undertone-convert train --ravdess RAVDESS --csv our-clips.csv                     with a site's own clips

the CSV has the columns path,label,speaker; labels: angry, disgust, fear, happy, neutral, sad, surprised.
two nets are trained side by side: one without a third of the speakers, on which it is calibrated and judged, and the one that
is kept, on everybody. on two cores the four corpora take an hour and a quarter. an interrupted training goes on where it was:
give the same command again.
"""
_LICENCES = {
    "tess": "TESS (CC BY-NC-ND 4.0)",
    "ravdess": "RAVDESS (CC BY-NC-SA 4.0)",
    "nemo": "nEMO (CC BY-NC-SA 4.0)",
    "ased": "ASED (research)",
    "csv": "the site's own clips",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `undertone-convert train`."""
    parser = commands.add_parser(
        "train",
        help="train a voice model from corpora of emotional speech",
        description="Train, quantise, calibrate and judge a voice model, and leave it as a bundle.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for corpus in ("tess", "ravdess", "nemo", "ased"):
        parser.add_argument(f"--{corpus}", type=Path, metavar="DIR", help=f"folder of the {corpus.upper()} corpus as published")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="your own clips: columns path,label,speaker")
    parser.add_argument("--quick", action="store_true", help="a few minutes, to see that it works; not for use")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same net on the same machine (default 1)")
    parser.add_argument("--epochs", type=int, metavar="N", help=f"passes of {DEFAULT.size} windows (default {DEFAULT.epochs})")
    parser.add_argument("--out", type=Path, default=Path("build/voice"), metavar="DIR", help="where the bundle goes (default build/voice)")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/train"), metavar="DIR", help="features, checkpoints (default .cache/train)"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign the bundle with (default: unsigned)")
    parser.add_argument("--version", type=version, default="1.0.0", metavar="X.Y.Z", help="version of the bundle (default 1.0.0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and leave a bundle."""
    from convert import prosody, voicebundle
    from convert.dataset import cache, distinct, load
    from convert.network import to_int8
    from edge.bundle.signature import Trust, read_private
    from edge.voice.emotion import EmotionModel

    roots = {name: getattr(args, name) for name in ("tess", "ravdess", "nemo", "ased", "csv") if getattr(args, name) is not None}
    if not roots:
        raise UsageError("train: no corpus given; give at least one of --tess, --ravdess, --nemo, --ased, --csv")
    if args.epochs is not None and args.epochs < 1:
        raise UsageError(f"train: --epochs {args.epochs}: give 1 or more")
    # An hour's work is not to end at a key that cannot be read.
    if args.key is not None:
        read_private(args.key)
    recipe = QUICK if args.quick else DEFAULT
    recipe = replace(recipe, epochs=args.epochs or recipe.epochs)
    parts = cache(distinct(gather(roots)), args.cache, copies=recipe.copies, seed=args.seed)
    prepared = load(parts)
    split = by_speaker(prepared.clips, args.seed)

    fold = Training(title="without held-out speakers", places=split.train, keep=args.cache / "fold")
    everybody = Training(title="on everybody", places=tuple(range(len(prepared.clips))), keep=args.cache / "all")
    side_by_side(parts, [fold] if args.quick else [fold, everybody], recipe, args.seed)

    trainer, sample = learn(prepared, fold, recipe, args.seed)
    net = to_int8(trainer.net, sample)
    weights = prosody.fit(prepared.only(split.train))
    calibration = calibrated_on(net, weights, prepared, split, args.cache / "fold.tflite")
    made = voicebundle.Made(
        name="voice",
        version=args.version,
        calibration=calibration,
        prosody=weights,
        metrics={},
        licence=_licence(list(roots)),
        provenance=_provenance(prepared, recipe, args.seed),
    )
    voicebundle.write(args.out, net, made, None)
    model = EmotionModel.load(args.out, trust=Trust(allow_unsigned=True))
    metrics = voicebundle.judge(model, [prepared.clips[i] for i in (*split.test, *split.words)], "judging")
    metrics |= _float_loss(trainer, net, weights, prepared, split, args.cache / "fold.tflite")
    if not args.quick:
        trainer, sample = learn(prepared, everybody, recipe, args.seed)
        net, made = to_int8(trainer.net, sample), replace(made, prosody=prosody.fit(prepared))
    bundle = voicebundle.write(args.out, net, replace(made, metrics=metrics), args.key)
    _print(metrics, calibration)
    print(f"{bundle.label}: {args.out} ({len(net) / 1000:.0f} kB), {'signed' if bundle.signed_by or args.key else 'unsigned'}")
    return 0


def _licence(corpora: Sequence[str]) -> str:
    """What a model that learnt from `corpora` may be used for: their own clips are a site's own business, each corpus forbids trade."""
    learnt = "trained on " + ", ".join(_LICENCES[name] for name in corpora)
    return learnt if set(corpora) == {"csv"} else f"CC BY-NC-SA 4.0, non-commercial use only: {learnt}"


def calibrated_on(net: bytes, spoken: "Prosody | None", prepared: "Prepared", split: Split, scratch: Path) -> "Calibration":
    """Fitted on the calibration speakers (else on held-out words), each corpus counting alike, on the phone and in random calls."""
    from convert.calibrate import fit
    from edge.voice.labels import LABELS

    places = split.calibrate or split.words or split.train
    if not split.calibrate:
        print("undertone-convert: warning: too few speakers to spare any: calibrated on known ones, too sure of itself", file=sys.stderr)
    names = [name for name in prepared.copies if name != "wide"]
    logits = np.concatenate([_int8_logits(net, spoken, prepared, places, name, scratch) for name in names])
    labels = np.asarray([LABELS.index(prepared.clips[i].label) for i in places])
    counts = Counter(prepared.clips[i].corpus for i in places)
    weights = np.asarray([1.0 / counts[prepared.clips[i].corpus] for i in places])
    return fit(logits, np.tile(labels, len(names)), np.tile(weights, len(names)))


def _int8_logits(
    net: bytes, spoken: "Prosody | None", prepared: "Prepared", places: "tuple[int, ...]", copy: str, scratch: Path
) -> NDArray[np.float64]:
    from edge.signal.features import windows
    from edge.voice.emotion import net_logits, with_prosody
    from edge.voice.interpreter import Interpreter

    scratch.write_bytes(net)
    interpreter = Interpreter(scratch)
    spectra = (prepared.copies[copy][i].astype(np.float32) for i in places)
    return np.stack([with_prosody(net_logits(interpreter, windows(s)), s, spoken) for s in spectra])


def _float_loss(trainer: "Trainer", net: bytes, spoken: "Prosody", prepared: "Prepared", split: Split, scratch: Path) -> dict[str, float]:
    """What int8 loses against float32 in negative AUC, on the test speakers' phone copies; positive is a loss."""
    from convert.calibrate import labels_negative, p_negative
    from convert.metrics import auc
    from convert.network import logits_of
    from edge.signal.features import windows
    from edge.voice.emotion import with_prosody
    from edge.voice.labels import LABELS

    places = split.test or split.words
    truth = labels_negative(np.asarray([LABELS.index(prepared.clips[i].label) for i in places], np.int64))
    spectra = [prepared.copies["phone"][i].astype(np.float32) for i in places]
    cuts = [windows(s) for s in spectra]
    raw = np.split(logits_of(trainer.net, np.concatenate([c.features for c in cuts])), np.cumsum([len(c.active) for c in cuts])[:-1])
    means = (np.average(z.astype(np.float64), axis=0, weights=np.maximum(c.active, 1)) for z, c in zip(raw, cuts, strict=True))
    whole = np.stack([with_prosody(z, s, spoken) for z, s in zip(means, spectra, strict=True)])
    small = _int8_logits(net, spoken, prepared, places, "phone", scratch)

    return {"float_negative_auc": auc(p_negative(whole), truth), "int8_negative_auc": auc(p_negative(small), truth)}


def _provenance(prepared: "Prepared", recipe: Recipe, seed: int) -> dict[str, object]:
    corpora = dict.fromkeys(clip.corpus for clip in prepared.clips)
    return {
        "made_by": "undertone-convert train",
        "seed": seed,
        "epochs": recipe.epochs,
        "windows_an_epoch": recipe.size,
        "corpora": {c: sum(clip.corpus == c for clip in prepared.clips) for c in corpora},
        "speakers": {c: len({clip.speaker for clip in prepared.clips if clip.corpus == c}) for c in corpora},
        "judged": "metrics are of a net of the same recipe without the test and calibration speakers, G.711, int8, edge.voice",
    }


def _print(metrics: dict[str, float], calibration: "Calibration") -> None:
    print("held-out speakers (held-out words where a corpus has too few), G.711, int8, through edge.voice:")
    for name in sorted(metrics):
        print(f"  {name:28} {metrics[name]:.3f}")
    print(f"  calibration: ECE of p_negative {calibration.ece_before:.3f} before, {calibration.ece_after:.3f} after")
