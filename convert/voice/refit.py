"""`undertone-convert refit`: the weights of statistics and the calibration around a bundle's net are fitted anew, on more speech."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convert.pack import version
from convert.sound.corpora import CORPORA, add_corpora, gather, given_corpora
from edge.errors import UsageError

if TYPE_CHECKING:
    from convert.sound.corpora import Clip
    from convert.sound.dataset import Prepared
    from edge.bundle.manifest import Bundle
    from edge.voice.calibration import Calibration

_EXAMPLES = """\
example:
  undertone-convert refit models/voice --ravdess R --tess T --nemo N --ased A --savee S --emovo E --turev U --version 1.4.0 --key leeds.key

give the corpora that the net learnt from, for the statistics' sake, and at least one that it did not: only on such can it be seen
how sure a stranger may make it. the new calibration is halfway between the bundle's own (strangers of corpora that it knows) and one
that is fitted on those. what is printed of each is with statistics that never heard that corpus either.
"""
_COPY = "phone"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "refit",
        help="fit a voice bundle's statistics and calibration anew, around the net that it has",
        description="Fit the weights of an utterance's statistics and the calibration anew; the net keeps every byte.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the folder of a voice bundle")
    add_corpora(parser)
    parser.add_argument("--most", type=int, default=1200, metavar="N", help="clips of a corpus, drawn evenly (default 1200)")
    parser.add_argument("--out", type=Path, default=Path("build/voice"), metavar="DIR", help="where the bundle goes (default build/voice)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"), metavar="DIR", help="features of the clips; shared with train")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign the bundle with (default: unsigned)")
    parser.add_argument("--version", type=version, default="1.0.0", metavar="X.Y.Z", help="version of the bundle (default 1.0.0)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, print what came of it, leave a bundle."""
    import msgspec

    from convert.sound.dataset import cache, distinct, load
    from convert.voice import bundle as voicebundle
    from convert.voice import prosody
    from convert.voice.train import licence_of
    from edge.bundle import manifest
    from edge.bundle.signature import Trust, read_private
    from edge.values import ModelKind
    from edge.voice.calibration import Calibration

    roots = given_corpora(args)
    old = manifest.load(args.bundle, kind=ModelKind.VOICE, trust=Trust(allow_unsigned=True))
    known = old.manifest.provenance.get("corpora")
    new = [name for name in roots if not isinstance(known, dict) or name not in known]
    if not new:
        remedy = f"give at least one of {', '.join(f'--{name}' for name in (*CORPORA, 'csv') if name not in roots)}"
        raise UsageError(f"{old.label} learnt from every corpus given", path=args.bundle, remedy=remedy)
    if args.key is not None:
        read_private(args.key)
    if args.most < 1:
        raise UsageError("nothing to fit", where=f"--most {args.most}", remedy="give 1 or more")
    clips = _evenly(distinct(gather(roots)), args.most)
    prepared = load(cache(clips, args.cache, copies=0, seed=1))
    metrics: dict[str, float] = {}
    for corpus in new:
        metrics |= _as_strangers(old, prepared, corpus, args.cache)
    spoken = prosody.fit(prepared)
    places = tuple(i for i, clip in enumerate(prepared.clips) if clip.corpus in new)
    calibration = halfway(msgspec.convert(old.manifest.calibration, Calibration), _calibrated(old, prepared, places, args.cache))
    counts = {name: sum(clip.corpus == name for clip in prepared.clips) for name in roots}
    made = voicebundle.Made(
        name=old.manifest.name,
        version=args.version,
        calibration=calibration,
        prosody=spoken,
        metrics=metrics,
        licence=licence_of(list(roots)),
        provenance=dict(old.manifest.provenance)
        | {"refitted_from": old.label, "statistics": counts, "judged": "corpora that neither net nor statistics heard, G.711, int8"},
    )
    bundle = voicebundle.write(args.out, old.only(".tflite").read_bytes(), made, args.key)
    print("corpora that neither net nor statistics heard, G.711, int8:")
    for name, value in sorted(metrics.items()):
        print(f"  {name:32} {value:.3f}")
    print(f"calibration: slope {calibration.slope:.3f}, biases {calibration.bias_negative:.3f} and {calibration.bias_positive:.3f}")
    print(f"{bundle.label}: {args.out}, {'signed' if args.key else 'unsigned'}")
    return 0


def _evenly(clips: "Sequence[Clip]", most: int) -> "list[Clip]":
    """At most so many of each corpus: every second of them, or every third."""
    kept: list[Clip] = []
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        own = [clip for clip in clips if clip.corpus == corpus]
        kept += own[:: -(-len(own) // most)]
    return kept


def _as_strangers(old: "Bundle", prepared: "Prepared", corpus: str, cache: Path) -> dict[str, float]:
    """Negative AUC of `corpus` with the bundle's statistics and with new ones that never heard it."""
    import msgspec
    import numpy as np

    from convert.metrics import auc
    from convert.voice import prosody
    from convert.voice.calibration import labels_negative, p_negative
    from convert.voice.train import int8_logits
    from edge.voice.labels import LABELS
    from edge.voice.prosody import Prosody

    places = tuple(i for i, clip in enumerate(prepared.clips) if clip.corpus == corpus)
    others = prosody.fit(prepared.only([i for i, clip in enumerate(prepared.clips) if clip.corpus != corpus]))
    before = msgspec.convert(old.manifest.prosody, Prosody) if old.manifest.prosody else None
    truth = labels_negative(np.asarray([LABELS.index(prepared.clips[i].label) for i in places], np.int64))
    net, scratch = old.only(".tflite").read_bytes(), cache / "refit.tflite"
    found = {}
    for name, spoken in (("before", before), ("refitted", others)):
        found[f"{corpus}_negative_auc_{name}"] = auc(p_negative(int8_logits(net, spoken, prepared, places, _COPY, scratch)), truth)
    return found


def _calibrated(old: "Bundle", prepared: "Prepared", places: tuple[int, ...], cache: Path) -> "Calibration":
    """Fitted on the clips at `places`, each corpus counting alike; of each, the statistics are those of the others."""
    from collections import Counter

    import numpy as np

    from convert.voice import calibration, prosody
    from convert.voice.train import int8_logits
    from edge.voice.labels import LABELS

    net, rows, labels = old.only(".tflite").read_bytes(), [], []
    counts = Counter(prepared.clips[i].corpus for i in places)
    for corpus in counts:
        own = tuple(i for i in places if prepared.clips[i].corpus == corpus)
        others = prosody.fit(prepared.only([i for i, clip in enumerate(prepared.clips) if clip.corpus != corpus]))
        rows.append(int8_logits(net, others, prepared, own, _COPY, cache / "refit.tflite"))
        labels += [(LABELS.index(prepared.clips[i].label), 1.0 / counts[corpus]) for i in own]
    return calibration.fit(np.concatenate(rows), np.asarray([k for k, _ in labels]), np.asarray([w for _, w in labels]))


def halfway(one: "Calibration", other: "Calibration") -> "Calibration":
    """The mean of two calibrations; `ece_...` and `clips` are those of `other`, which was fitted last."""
    import msgspec

    def mean(name: str) -> float:
        return float((getattr(one, name) + getattr(other, name)) / 2)

    negative, positive = ((a + b) / 2 for a, b in zip(one.log_prior, other.log_prior, strict=True))
    means = {name: mean(name) for name in ("temperature", "slope", "bias_negative", "bias_positive")}
    return msgspec.structs.replace(other, **means, log_prior=(negative, positive))
