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

from convert.pack import version
from convert.sound import calls
from convert.sound.corpora import CORPORA, SUFFIXES, add_corpora, gather, given_corpora
from convert.sound.splits import Split, by_speaker
from convert.voice.learning import DEFAULT, FURTHER, QUICK, Recipe, Training, learn, side_by_side
from edge.errors import UsageError

if TYPE_CHECKING:
    from convert.sound.dataset import Prepared
    from convert.voice.network import Trainer
    from edge.voice.calibration import Calibration
    from edge.voice.prosody import Prosody

_EXAMPLES = """\
examples:
  undertone-convert train --ravdess RAVDESS --tess TESS --nemo nEMO --ased ASED     the recipe of the shipped model
  undertone-convert train --tess TESS --quick                                       a try of a few minutes
  undertone-convert train --ravdess RAVDESS --csv our-clips.csv                     with a site's own clips
  undertone-convert train --start models/voice --ravdess RAVDESS --csv our-clips.csv --calls our-calm-calls.csv --street NOISE

the CSV has the columns path,label,speaker; labels: angry, disgust, fear, happy, neutral, sad, surprised.
two nets are trained side by side: one without a third of the speakers, on which it is calibrated and judged, and the one that
is kept, on everybody. on two cores the four corpora take an hour and a quarter. an interrupted training goes on where it was:
give the same command again. with --start a bundle's own net is taught further, in a fifth of the time; speakers that it had learnt
from are no strangers to it, so give corpora that it knows beside what is new, and believe the figures of the new ones only.
calm calls (CSV with path,channels, as a box's lines have them) are cut by the box's endpointer; what their customers say is neutral.
"""
_LICENCES = {
    "tess": "TESS (CC BY-NC-ND 4.0)",
    "ravdess": "RAVDESS (CC BY-NC-SA 4.0)",
    "nemo": "nEMO (CC BY-NC-SA 4.0)",
    "ased": "ASED (research)",
    "savee": "SAVEE (research only)",
    "emovo": "EMOVO (research)",
    "turev": "TurEV-DB (research)",
    calls.CORPUS: "calm telephone calls (CC BY-NC 4.0 among them)",
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
    add_corpora(parser)
    parser.add_argument("--calls", type=Path, metavar="CSV", help="calm calls: columns path,channels (customer,agent in order)")
    parser.add_argument("--street", type=Path, metavar="DIR", help="recordings of noise, to be heard behind some copies of the clips")
    parser.add_argument("--start", type=Path, metavar="BUNDLE", help="teach the net of this bundle further, instead of a new one")
    parser.add_argument("--quick", action="store_true", help="a few minutes, to see that it works; not for use")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same net on the same machine (default 1)")
    parser.add_argument("--epochs", type=int, metavar="N", help=f"how many (default {DEFAULT.epochs}; quick: {QUICK.epochs})")
    parser.add_argument("--windows", type=int, metavar="N", help=f"windows an epoch (default {DEFAULT.size}; quick: {QUICK.size})")
    parser.add_argument("--out", type=Path, default=Path("build/voice"), metavar="DIR", help="where the bundle goes (default build/voice)")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/train"), metavar="DIR", help="features, checkpoints (default .cache/train)"
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign the bundle with (default: unsigned)")
    parser.add_argument("--version", type=version, default="1.0.0", metavar="X.Y.Z", help="version of the bundle (default 1.0.0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train and leave a bundle."""
    from edge.bundle.signature import Trust, read_private

    roots = given_corpora(args)
    if not roots:
        raise UsageError("train: no corpus given", remedy=f"give at least one of {', '.join(f'--{name}' for name in CORPORA)}, --csv")
    if args.epochs is not None and args.epochs < 1:
        raise UsageError("nothing to train for", where=f"--epochs {args.epochs}", remedy="give 1 or more")
    recipe = QUICK if args.quick else FURTHER if args.start else DEFAULT
    if args.windows is not None and args.windows < recipe.batch:
        raise UsageError("less than one step", where=f"--windows {args.windows}", remedy=f"give {recipe.batch} or more")
    start = _net_of(args.start) if args.start else None
    recipe = replace(recipe, epochs=args.epochs or recipe.epochs, size=args.windows or recipe.size, start=start)
    # An hour's work is not to end at a key that cannot be read.
    if args.key is not None:
        read_private(args.key)
    # TensorFlow takes seconds to load: wrong use is told before.
    from convert.sound.dataset import cache, distinct, load
    from convert.voice import bundle as voicebundle
    from convert.voice import prosody
    from convert.voice.network import to_int8
    from edge.voice.emotion import EmotionModel

    clips = [*gather(roots), *(calls.read_calls(args.calls) if args.calls else ())]
    parts = cache(distinct(clips), args.cache, copies=recipe.copies, seed=args.seed, street=_noises(args.street))
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
        licence=licence_of([*roots, *([calls.CORPUS] if args.calls else ())]),
        provenance=_provenance(prepared, recipe, args.seed) | ({"quick": True} if args.quick else {}),
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
    if args.quick:
        print("from a quick training: to see that it works, not for use; train it without --quick for boxes")
    return 0


def _net_of(bundle: Path) -> Path:
    """The net of a checked bundle, whoever signed it. Raises ModelError."""
    from edge.bundle import manifest
    from edge.bundle.signature import Trust
    from edge.values import ModelKind

    return manifest.load(bundle, kind=ModelKind.VOICE, trust=Trust(allow_unsigned=True)).only(".tflite")


def _noises(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise UsageError("holds no recording", path=folder, where="--street", remedy="give a folder of sound files")
    return found


def licence_of(corpora: Sequence[str]) -> str:
    """What a model that learnt from `corpora` may be used for: their own clips are a site's own business, each corpus forbids trade."""
    learnt = "trained on " + ", ".join(_LICENCES[name] for name in corpora)
    return learnt if set(corpora) == {"csv"} else f"CC BY-NC-SA 4.0, non-commercial use only: {learnt}"


def calibrated_on(net: bytes, spoken: "Prosody | None", prepared: "Prepared", split: Split, scratch: Path) -> "Calibration":
    """Fitted on the calibration speakers (else on held-out words), each corpus counting alike, on the phone and in random calls."""
    from convert.voice.calibration import fit
    from edge.voice.labels import LABELS

    # Calls that are calm throughout say nothing of how sure to be of displeasure.
    places = tuple(i for i in split.calibrate if prepared.clips[i].corpus != calls.CORPUS) or split.words or split.train
    if not split.calibrate:
        print("undertone-convert: warning: too few speakers to spare any: calibrated on known ones, too sure of itself", file=sys.stderr)
    names = [name for name in prepared.copies if name != "wide"]
    logits = np.concatenate([int8_logits(net, spoken, prepared, places, name, scratch) for name in names])
    labels = np.asarray([LABELS.index(prepared.clips[i].label) for i in places])
    counts = Counter(prepared.clips[i].corpus for i in places)
    weights = np.asarray([1.0 / counts[prepared.clips[i].corpus] for i in places])
    return fit(logits, np.tile(labels, len(names)), np.tile(weights, len(names)))


def int8_logits(
    net: bytes, spoken: "Prosody | None", prepared: "Prepared", places: "tuple[int, ...]", copy: str, scratch: Path
) -> NDArray[np.float64]:
    """What the box works with: float64 (n, 7), of one copy of the clips at `places`. The net is left in the file `scratch`."""
    from edge.signal.features import windows
    from edge.tflite.interpreter import Interpreter
    from edge.voice.emotion import net_logits, with_prosody

    scratch.write_bytes(net)
    interpreter = Interpreter(scratch)
    spectra = (prepared.copies[copy][i].astype(np.float32) for i in places)
    return np.stack([with_prosody(net_logits(interpreter, windows(s)), s, spoken) for s in spectra])


def _float_loss(trainer: "Trainer", net: bytes, spoken: "Prosody", prepared: "Prepared", split: Split, scratch: Path) -> dict[str, float]:
    """What int8 loses against float32 in negative AUC, on the test speakers' phone copies; positive is a loss."""
    from convert.metrics import auc
    from convert.voice.calibration import labels_negative, p_negative
    from convert.voice.network import logits_of
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
    small = int8_logits(net, spoken, prepared, places, "phone", scratch)

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
