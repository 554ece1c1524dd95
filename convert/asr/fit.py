"""`undertone-convert asr fit`: the recogniser's language model fitted to a trade's own text, as a signed bundle."""

import argparse
import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convert.pack import version
from edge.errors import UsageError
from edge.files.text import unread

if TYPE_CHECKING:
    from rich.console import Console

    from convert.asr.text import Sentence
    from edge.asr.ngram_fst import NGrams

_EXAMPLES = """\
examples:
  undertone-convert asr fit --text calls.txt --out build/asr --key leeds.key        fitted half and half to your own text
  undertone-convert asr fit --text calls.txt=3 --text chats.tsv --weight 0.6 --out build/asr --key leeds.key
  undertone-convert asr fit --text calls.txt --words our-products.txt --out build/asr --key leeds.key
  undertone model install build/asr --config undertone.yaml                         on the box: probation beside the old one

text is as spoken: one sentence a line, numbers in words; .tsv and .csv: their column `text`. FILE=3 counts three times. A tenth of
it (by hash) is kept apart: perplexity and word errors before and after are of that tenth, spoken by flite and espeak-ng over G.711.
Words that the model does not know are listed with how often they come. They cannot be added: the small model carries its
pronunciations compiled (graph/HCLr.fst) and neither a lexicon nor a grapheme-to-phoneme model. --words makes names that it knows likelier.
"""
# A name of the site's is put in as if it had been said so often alone.
_NAME_COUNT = 20.0
_SHOWN = 20


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `undertone-convert asr`."""
    parser = commands.add_parser(
        "asr",
        help="fit the speech recogniser to a trade's language",
        description="The speech recogniser's language model, for the way that people speak in a trade.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    fit = inner.add_parser(
        "fit",
        help="fit the recogniser's language model to text",
        description="Interpolate the recogniser's language model with an n-gram model of your text, prune it, and leave a signed bundle.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument("--base", type=Path, metavar="FOLDER", help="a small Vosk model (default: the one that fetch-model brought)")
    fit.add_argument("--text", action="append", required=True, metavar="FILE[=N]", help="text as spoken; again for more")
    fit.add_argument("--weight", type=_share, default=0.5, metavar="W", help="your text's share of each probability, 0..1 (default: 0.5)")
    fit.add_argument("--words", type=Path, metavar="FILE", help="names of products and places, one a line, to be made likelier")
    fit.add_argument(
        "--most", type=int, default=150_000, metavar="N", help="keep so many n-grams of your text (8 bytes each; default: 150000)"
    )
    fit.add_argument(
        "--speak", type=int, default=60, metavar="N", help="speak so many held-out sentences to measure (default: 60; 0: none)"
    )
    fit.add_argument("--out", type=Path, metavar="DIR", help="the bundle's new folder")
    fit.add_argument("--ngrams", type=Path, metavar="FILE", help="leave the text's n-grams alone here (what Undertone ships)")
    fit.add_argument("--release", type=version, default="1.0.0", metavar="X.Y.Z", help="the bundle's version")
    fit.add_argument("--licence", default="as its text", metavar="TEXT", help="licence of the text, told by `info`")
    fit.add_argument("--key", type=Path, metavar="FILE", help="private key to sign with; unsigned bundles are refused by boxes")
    fit.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, judge, pack."""
    from rich.console import Console

    from convert.asr.counts import count, kneser_ney, pruned
    from convert.asr.text import read
    from edge.asr import ngram_fst
    from edge.asr.fitted import save_ngrams
    from edge.asr.language_model import mix

    if args.out is None and args.ngrams is None:
        raise UsageError("nothing to leave anywhere", where="asr fit", remedy="give --out DIR, or --ngrams FILE")
    if args.out is not None and args.out.exists():
        raise UsageError("is already there", path=args.out, remedy="give a new folder, or remove it")
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    base_dir = _base(args.base)
    with console.status("reading the language model"):
        base = ngram_fst.read(base_dir / "graph" / "Gr.fst")
    label = {word: number for number, word in enumerate(base.words)}
    sentences = [sentence for written in args.text for sentence in read(written)]
    learnt = [sentence for sentence in sentences if not sentence.held_out]
    held_out = [sentence for sentence in sentences if sentence.held_out]
    if not learnt:
        raise UsageError("there is no sentence in the text", where="--text", remedy="give text as spoken, one sentence a line")
    names = _names(args.words, label)
    with console.status(f"counting {len(learnt):,} sentences"):
        said = [([label.get(word) for word in one.words], one.weight) for one in learnt]
        counts = count([*said, *(([label[word] for word in name], _NAME_COUNT) for name in names)], base.end)
        trade = pruned(kneser_ney(counts, base), counts, args.most)
    if args.ngrams is not None:
        save_ngrams(args.ngrams, trade)
        console.print(f"{args.ngrams}: {len(trade.cost):,} n-grams, {args.ngrams.stat().st_size / 1e6:.1f} MB")
    with console.status("interpolating"):
        mixed = mix(base, trade, args.weight)
    _tell_unknown(console, sentences, label)
    with tempfile.TemporaryDirectory(prefix="undertone-asr-") as scratch:
        bare, fitted = (_model(base_dir, Path(scratch) / name) for name in ("bare", base_dir.name))
        ngram_fst.write(fitted / "graph" / "Gr.fst", mixed)
        _judge(console, args, (base, mixed), (bare, fitted), held_out, label)
        if args.out is not None:
            from convert.asr.vosk_bundle import bundle_of

            bundle = bundle_of(fitted, args.out, version=args.release, licence=args.licence, key=args.key)
            signed = "signed" if args.key else "UNSIGNED: boxes refuse it; give --key"
            console.print(f"{args.out}: {bundle.manifest.name} {bundle.manifest.version}, {signed}; {time.monotonic() - began:.0f} s")
    return 0


def _base(given: Path | None) -> Path:
    """The folder of the model to fit."""
    from edge.asr.vosk_model import MODEL_NAME, default_place

    folder = default_place() if given is None or str(given) == MODEL_NAME else given
    if folder is None or not (folder / "graph" / "Gr.fst").is_file():
        raise UsageError(
            "no small Vosk model there (graph/Gr.fst)",
            where=f"--base {given or MODEL_NAME}",
            remedy="run `undertone fetch-model`, or give its folder",
        )
    return folder


def _model(base: Path, to: Path) -> Path:
    """A copy of the model at `base` by links, with a language model of its own."""
    shutil.copytree(base, to, ignore=shutil.ignore_patterns("fitted"), copy_function=lambda a, b: Path(b).symlink_to(Path(a).resolve()))
    graph = to / "graph" / "Gr.fst"
    graph.unlink()
    shutil.copy(base / "graph" / "Gr.fst", graph)
    return to


def _names(path: Path | None, label: dict[str, int]) -> list[list[str]]:
    """The names in the file at `path`, in words that the model knows. Raises UsageError where it knows none of a name's words."""
    if path is None:
        return []
    try:
        names = [line.lower().split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(unread(error), where="--words", path=path, remedy="give UTF-8 text, one name a line") from error
    unknown = sorted({word for name in names for word in name if word not in label})
    if unknown:
        raise UsageError(
            f"the model has no pronunciation of {', '.join(unknown[:10])}, and none can be added to it",
            where="--words",
            path=path,
            remedy="write names by words that it knows (as they sound), or leave them out",
        )
    return names


def _tell_unknown(console: "Console", sentences: "Sequence[Sentence]", label: dict[str, int]) -> None:
    """Words that the recogniser cannot say: each costs at least one error wherever it is spoken."""
    unknown = Counter(word for sentence in sentences for word in sentence.words if word not in label)
    total = sum(len(sentence.words) for sentence in sentences)
    if unknown:
        listed = ", ".join(f"{word} {n}" for word, n in unknown.most_common(_SHOWN))
        cost = sum(unknown.values()) / total
        console.print(f"{len(unknown):,} words are unknown to the recogniser and cost {cost:.2%} of all words: {listed}")


def _judge(
    console: "Console",
    args: argparse.Namespace,
    models: "tuple[NGrams, NGrams]",
    folders: tuple[Path, Path],
    held_out: "Sequence[Sentence]",
    label: dict[str, int],
) -> None:
    """Perplexity and word errors before and after, of each file's held-out tenth."""
    from rich.progress import Progress
    from rich.table import Table

    from convert.asr.perplexity import perplexity
    from convert.asr.spoken import word_errors

    table = Table(title="held-out text, before and after")
    for column in ("text", "sentences", "perplexity", "spoken", "word errors"):
        table.add_column(column, justify="left" if column == "text" else "right")
    sources = list(dict.fromkeys(sentence.source for sentence in held_out))
    each = -(-args.speak // max(1, len(sources)))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("speaking held-out sentences", total=each * len(sources))
        for source in sources:
            mine = sorted((one for one in held_out if one.source == source), key=lambda one: _order(one.words))
            before, after = (perplexity(model, mine, label) for model in models)
            spoken = [one for one in mine if all(word in label for word in one.words)][:each]
            heard = word_errors(spoken, folders, lambda: progress.advance(task)) if spoken else []
            rates = " -> ".join(f"{found.rate:.1%}" for found in heard) or "-"
            table.add_row(source, str(len(mine)), f"{before:.0f} -> {after:.0f}", str(len(spoken)), rates)
    console.print(table)


def _order(words: "Sequence[str]") -> str:
    """Of sentences, the same on every machine and without regard to the text's own."""
    return hashlib.sha256(f"order {' '.join(words)}".encode()).hexdigest()


def _share(text: str) -> float:
    value = float(text) if text.replace(".", "", 1).isdigit() else -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share; give 0 to 1")
    return value
