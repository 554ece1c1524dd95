"""`undertone-convert evaluate`: what a model is worth, through the path that ships, by protocols from flattering to honest."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convert.evaluation.protocols import SAYS, Report, Result, folds
from convert.sound.corpora import CORPORA, add_corpora, given_corpora
from edge.errors import UsageError

if TYPE_CHECKING:
    from convert.evaluation.score import Range
    from convert.sound.corpora import Clip
    from convert.sound.dataset import Cached
    from edge.bundle.manifest import Bundle

_EXAMPLES = """\
examples:
  undertone-convert evaluate --bundle models/voice --csv our-clips.csv --html report.html
        the shipped model on a site's own labelled clips (it never heard their speakers: honest)
  undertone-convert evaluate --tess TESS --protocol random,tess-actress --quick --html leak.html
        why a random split flatters: 99 % where a stranger gets half of that
  undertone-convert evaluate --ravdess R --tess T --nemo N --ased A --protocol held-out,corpus --html report.html
        the recipe of the shipped model on speakers, and on whole languages, that it never heard (trains; takes hours)

protocols (several with commas):
  as-is          --bundle on every clip given
  held-out       trained without a third of the speakers: half of those calibrate, the others test
  random         TESS cut at random: the leak
  tess-actress   from one TESS actress to the other, both ways
  ravdess-kfold  RAVDESS actors in turn
  corpus         each corpus in turn, never heard

conditions: wideband; phone (G.711 mu-law, 300-3400 Hz); phone with pink noise at 20, 10 and 5 dB SNR. int8 is what ships;
float is the same net before quantising. Intervals are bootstrapped over speakers.
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "evaluate",
        help="what a model is worth on speakers it never heard, by protocol and condition",
        description="Judge a bundle, or the training recipe, through the code that runs on the box.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bundle", type=Path, metavar="BUNDLE", help="the bundle to judge as it is (.tar or folder)")
    add_corpora(parser)
    parser.add_argument("--protocol", metavar="NAMES", help="as-is (default with --bundle), held-out (default without), or others above")
    parser.add_argument("--quick", action="store_true", help="train each net for a few minutes only; figures are lower then")
    parser.add_argument("--folds", type=int, default=3, metavar="N", help="groups of RAVDESS actors (default 3)")
    parser.add_argument("--clips", type=int, metavar="N", help="test on N clips of each fold, drawn evenly over classes")
    parser.add_argument("--conditions", metavar="LIST", help="only these, with commas (default all): wideband, phone, 20, 10, 5")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same folds (default 1)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/train"), metavar="DIR", help="features, checkpoints; shared with train")
    parser.add_argument("--json", action="store_true", help="everything as one JSON document on stdout, nothing else there")
    parser.add_argument("--html", type=Path, metavar="FILE", help="leave a page with confusion matrices and plots")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge by each protocol in turn."""
    import msgspec

    from convert.compare import opened
    from convert.evaluation.judging import How, as_it_is, judge, train, train_ahead
    from convert.evaluation.page import write_page
    from convert.sound.dataset import load
    from edge import __version__

    roots = given_corpora(args)
    if not roots:
        raise UsageError("evaluate: no clips given", remedy=f"give at least one of {', '.join(f'--{name}' for name in CORPORA)}, --csv")
    protocols = _protocols(args)
    how = How(seed=args.seed, quick=args.quick, clips=args.clips, conditions=_conditions(args.conditions), cache=args.cache)
    clips, parts = _clips(roots, args, train=protocols != ["as-is"])
    prepared = load(parts)
    results: list[Result] = []
    label, sha, licence = "the recipe of undertone-convert train", "", ", ".join(roots)
    if args.bundle:
        with opened(args.bundle) as bundle:
            label, sha, licence = bundle.label, bundle.sha256, bundle.manifest.licence
            judged = as_it_is(bundle)
            _say_whom_it_heard(bundle)
        results += [result for fold in folds("as-is", clips, seed=args.seed, parts=args.folds) for result in judge(fold, judged, how)]
    for protocol in (name for name in protocols if name != "as-is"):
        trained: tuple[Clip, ...] = ()
        chosen = list(folds(protocol, clips, seed=args.seed, parts=args.folds))
        train_ahead(chosen, parts, prepared, how)
        for fold in chosen:
            if fold.train != trained:
                judged, trained = train(fold, prepared, how), fold.train
            results += judge(fold, judged, how)
    pace = "Nets for protocols that train were trained with --quick: not by the shipped recipe." if args.quick else ""
    report = Report(
        made=_now(), undertone=__version__, model=label, model_sha256=sha, licence=licence, given=tuple(roots),
        recipe=pace, says={name: SAYS[name] for name in protocols}, results=tuple(results),
    )  # fmt: skip
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(results)
    if args.html:
        write_page(args.html, report)
        print(f"undertone-convert: report written to {args.html}", file=sys.stderr)
    return 0


def _say_whom_it_heard(bundle: "Bundle") -> None:
    """On its own training speakers any model is perfect."""
    heard = bundle.manifest.provenance.get("speakers")
    if isinstance(heard, dict) and heard:
        corpora = ", ".join(f"{name} ({count} speakers)" for name, count in heard.items())
        print(f"undertone-convert: {bundle.label} learnt from {corpora}: its figures are honest for other speakers only", file=sys.stderr)


def _protocols(args: argparse.Namespace) -> list[str]:
    names = args.protocol.split(",") if args.protocol else ["as-is" if args.bundle else "held-out"]
    for name in names:
        if name not in SAYS:
            raise UsageError(f"'{name}' is none", where="--protocol", remedy=f"give one of {', '.join(SAYS)}")
    if args.bundle and "as-is" not in names:
        names.insert(0, "as-is")
    if "as-is" in names and not args.bundle:
        raise UsageError("--protocol as-is judges a bundle", remedy="give --bundle BUNDLE")
    return names


def _conditions(wanted: str | None) -> tuple[str, ...]:
    from convert.evaluation.score import CONDITIONS

    if not wanted:
        return tuple(CONDITIONS)
    short = {name: name for name in CONDITIONS} | {name.split()[1]: name for name in CONDITIONS if " " in name}
    unknown = [part for part in wanted.split(",") if part not in short]
    if unknown:
        raise UsageError(f"'{unknown[0]}' is none", where="--conditions", remedy="give some of wideband, phone, 20, 10, 5")
    return tuple(short[part] for part in wanted.split(","))


def _clips(roots: dict[str, Path], args: argparse.Namespace, *, train: bool) -> "tuple[Sequence[Clip], Sequence[Cached]]":
    """The clips without duplicates; their features in the cache too where a net will be trained."""
    from convert.sound.corpora import gather
    from convert.sound.dataset import cache, distinct
    from convert.voice.learning import DEFAULT, QUICK

    clips = distinct(gather(roots))
    if not train:
        return clips, []
    parts = cache(clips, args.cache, copies=(QUICK if args.quick else DEFAULT).copies, seed=args.seed)
    return [clip for part in parts for clip in part.clips], parts


def _print(results: Sequence[Result]) -> None:
    """A block for each fold, a line for each condition; figures with their 95 % intervals."""
    fold = ""
    for r in results:
        f = r.figures
        if f"{r.protocol} {r.fold}" != fold:
            fold = f"{r.protocol} {r.fold}"
            print(f"\n{r.protocol}: {r.fold}\n  trained on: {r.trained_on}\n  tested on:  {r.tested_on}")
            print(f"  {'condition':<18}{'net':<7}{'UAR':<20}{'negative AUC':<20}{'ECE before, after':<19}judged")
        ece = f"{f.ece_before:.3f}, {f.ece_after:.3f}"
        print(f"  {r.condition:<18}{r.net:<7}{_text(f.uar):<20}{_text(f.negative_auc):<20}{ece:<19}{f.coverage:.0%}")


def _text(found: "Range") -> str:
    return "-" if found.value is None else f"{found.value:.3f} ({found.low:.2f}-{found.high:.2f})"


def _now() -> str:
    from convert.pack import now

    return now()
