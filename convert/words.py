"""`undertone-convert words`: the complaint corpus in; what a words model is worth, and a checked bundle, out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from convert.pack import version
from edge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from convert.words_report import Fitted, Outputs
    from convert.words_train import Material, Reader

_EXAMPLES = """\
examples:
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --speak 1000          speak rows first (half an hour; resumable)
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --evaluate            the table: our figures and the baselines'
  undertone-convert words --csv train.csv --spoken ~/spoken.jsonl --out models/words    a bundle, trained on every row
  undertone-convert words --csv train.csv --quick --out build/words                     a try of a minute

the CSV has the columns id, text, label (negative, neutral, positive), cause (one of ten, for negatives; else empty).
near-duplicates stay in one of five folds; every figure is of rows that the model did not see, and of calibration that was
not fitted on them. --spoken holds corpus lines: keep it out of the repository. --service and --sealed
sentences are judged by the packed bundle and never trained on.
"""
_LICENCE = "CC BY-NC-SA 4.0, non-commercial use only: trained on Twitter US airline sentiment (CC BY-NC-SA 4.0) and hand-written sentences"
_NAME = "words"
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
    parser.add_argument("--quick", action="store_true", help="one fold instead of five")
    parser.add_argument("--seed", type=int, default=1, help="of the word errors and the made sentences")
    parser.add_argument("--release", type=version, default="1.0.0", metavar="X.Y.Z", help="the bundle's version")
    parser.add_argument("--licence", default=_LICENCE, metavar="TEXT", help="licence of what it learnt from (default: the airlines')")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key to sign with; unsigned bundles are refused by boxes")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Speak, train, judge, pack: what was asked for."""
    if not args.evaluate and args.out is None and not args.speak:
        raise UsageError("words: nothing to do; give --out DIR, --evaluate or --speak N")
    if args.speak and args.spoken is None:
        raise UsageError("words: --speak needs --spoken FILE to keep what was heard")
    from convert.words_corpus import folds, read_rows
    from convert.words_report import calibrate, out_of_fold, read_sentences
    from convert.words_service import AIRLINE_FORMS, service_sentences
    from convert.words_spoken import read_spoken
    from convert.words_train import Reader, material
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
    given = material(rows, spoken, service_sentences(_FILLINGS, args.seed), complaints, reader)
    made = f"{len(given.service)} made sentences of other trades, {len(given.complaints)} made airline complaints"
    print(f"{len(rows)} rows, {len(given.spoken)} of them spoken, {made}", flush=True)
    place = folds(rows)
    outputs = out_of_fold(given, place, reader, seed=args.seed, only=[0] if args.quick else None)
    measured = _table(args, given, outputs, place, reader) if args.evaluate else {}
    if args.out is not None:
        _ship(args, given, reader, calibrate(outputs, given), measured)
    return 0


def _speak(args: argparse.Namespace, rows: "Sequence[object]") -> None:
    from tqdm import tqdm

    from convert.words_spoken import speak_rows
    from edge.config import Config
    from edge.words.voskmodel import find_vosk

    vosk = find_vosk(Config())
    if vosk is None:
        raise UsageError("words: --speak needs the speech recogniser; run `undertone fetch-model`")
    for _ in tqdm(speak_rows(rows, args.speak, args.spoken, vosk), desc="speaking", disable=None):  # type: ignore[arg-type] # Rows
        pass


def _table(
    args: argparse.Namespace, given: "Material", outputs: "Outputs", place: "NDArray[np.int64]", reader: "Reader"
) -> dict[str, float]:
    """Print the table; our figures by name."""
    from convert.words_baselines import baselines
    from convert.words_report import figures, out_of_fold
    from convert.words_tables import print_table

    ours = figures(outputs, given, place)
    print_table(ours, baselines(given, place, [0] if args.quick else None))
    if args.airlines:
        from convert.words_corpus import airlines

        by_airline = airlines(given.rows)
        for airline in sorted(set(by_airline.tolist())):
            held = out_of_fold(given, by_airline, reader, seed=args.seed, only=[airline], say=lambda _: None)
            found = figures(held, given, by_airline)
            score = f"macro-F1 {found['airline_macro_f1']:.3f}, AUC {found['airline_auc']:.3f}"
            print(f"trained without airline {airline}, judged on its {found['rows']:.0f} rows: {score}", flush=True)
    return ours


def _ship(args: argparse.Namespace, given: "Material", reader: "Reader", fitted: "Fitted", measured: dict[str, float]) -> None:
    """Train on every row, pack, and judge the bundle as a box would."""
    import numpy as np

    from convert.words_pack import pack
    from convert.words_tables import print_shipped
    from convert.words_train import train

    table = train(given, np.arange(len(given.rows)), reader, seed=args.seed)
    bundle = pack(args.out, table, fitted, given, measured, name=_NAME, version=args.release, licence=args.licence, key=args.key)
    print_shipped(bundle, args.service, args.sealed, [row.text for row in given.rows[:300]])
