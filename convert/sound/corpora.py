"""Corpora of emotional speech by their layout on disk, as clips with one of our seven labels, a speaker and an item."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.columns import read_columns
from edge.errors import UsageError
from edge.voice.labels import LABELS

SUFFIXES = {".wav", ".flac", ".opus", ".ogg", ".aif", ".aiff", ".mp3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recording, or a piece of one. `item` is what was said (a word, a sentence), so that a split can also leave items out.

    `piece`: the channel of `path`, counted from 1, and samples at 16 kHz, first and one past the last; None: the whole recording.
    """

    path: Path
    label: str
    speaker: str
    corpus: str
    item: str
    piece: tuple[int, int, int] | None = None


# RAVDESS: third number of the name. Calm is a neutral that a customer can have.
_RAVDESS = {"01": "neutral", "02": "neutral", "03": "happy", "04": "sad", "05": "angry", "06": "fear", "07": "disgust", "08": "surprised"}
# TESS: "ps" is "pleasant surprise".
_TESS = {
    "angry": "angry", "disgust": "disgust", "fear": "fear", "happy": "happy", "neutral": "neutral", "sad": "sad",
    "ps": "surprised", "surprise": "surprised", "surprised": "surprised",
}  # fmt: skip
_NEMO = {"anger": "angry", "fear": "fear", "happiness": "happy", "neutral": "neutral", "sadness": "sad", "surprised": "surprised"}
_ASED = {"a": "angry", "f": "fear", "h": "happy", "n": "neutral", "s": "sad"}
_SAVEE = {"a": "angry", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprised"}
# EMOVO's joy is elation: a happy one.
_EMOVO = {
    "dis": "disgust", "gio": "happy", "pau": "fear", "rab": "angry", "sor": "surprised", "tri": "sad", "neu": "neutral",
}  # fmt: skip
# TurEV-DB: the first letters of the Turkish names; calm is a neutral that a customer can have.
_TUREV = {"kz": "angry", "sk": "neutral", "mt": "happy", "hl": "sad"}

_NAME = {
    "tess": re.compile(r"^(?P<speaker>[A-Za-z]+)_(?P<item>[A-Za-z]+)_(?P<code>[A-Za-z]+)$"),
    "ravdess": re.compile(r"^03-01-(?P<code>0[1-8])-\d\d-(?P<item>\d\d)-\d\d-(?P<speaker>\d\d)$"),
    "nemo": re.compile(r"^(?P<speaker>[A-Z]{2}\d)_(?P<code>[a-z]+)_(?P<item>\d+)$"),
    "ased": re.compile(r"^(?P<code>[A-Za-z])\d+-\d+-(?P<item>\d+)-\d+-(?P<speaker>\d+)$"),
    "savee": re.compile(r"^(?P<speaker>[A-Z]{2})_(?P<code>[a-z]+)(?P<item>\d+)$"),
    "emovo": re.compile(r"^(?P<code>[a-z]+)-(?P<speaker>[fm]\d)-(?P<item>\w+)$"),
    "turev": re.compile(r"^(?P<speaker>\d+)_(?P<code>kz|sk|mt|hl)_(?P<item>\w+)$"),
}
# The corpora that are read by their layout, in the order in which a card names them.
CORPORA = tuple(_NAME)
# One TESS file is misnamed in the original: OA_bite_neutral.wav is OAF's.
_MISNAMED = {"OA": "OAF"}
_CODES = {"tess": _TESS, "ravdess": _RAVDESS, "nemo": _NEMO, "ased": _ASED, "savee": _SAVEE, "emovo": _EMOVO, "turev": _TUREV}


def add_corpora(parser: argparse.ArgumentParser) -> None:
    """Declare an option for each corpus and `--csv`."""
    for corpus in CORPORA:
        parser.add_argument(f"--{corpus}", type=Path, metavar="DIR", help=f"folder of the {corpus.upper()} corpus as published")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="your own clips: columns path,label,speaker")


def given_corpora(args: argparse.Namespace) -> dict[str, Path]:
    """Where each corpus that the command line names is, as `gather` takes it."""
    return {name: getattr(args, name) for name in (*CORPORA, "csv") if getattr(args, name) is not None}


def read_layout(corpus: str, root: Path) -> list[Clip]:
    """The clips of `corpus` (one of CORPORA) below `root`, in order of their names; other files are passed over.

    Raises UsageError where `root` is no folder or holds none.
    """
    if not root.is_dir():
        raise UsageError("no such folder", path=root, where=f"--{corpus}", remedy="give the folder that holds the corpus")
    pattern, codes = _NAME[corpus], _CODES[corpus]
    clips = []
    for path in sorted(root.rglob("*")):
        name = pattern.match(path.stem)
        if name is None or path.suffix.lower() not in SUFFIXES:
            continue
        label = codes.get(name["code"].lower())
        if label is not None:
            speaker = f"{corpus}:{_MISNAMED.get(name['speaker'].upper(), name['speaker'].upper())}"
            clips.append(Clip(path=path, label=label, speaker=speaker, corpus=corpus, item=name["item"]))
    if not clips:
        raise UsageError(
            "holds no clip named as that corpus names them",
            path=root,
            where=f"--{corpus}",
            remedy="check that it is the corpus's own folder",
        )
    return clips


def read_csv(path: Path) -> list[Clip]:
    """A site's own clips: a CSV with the columns path, label, speaker. Paths are taken from the CSV's folder.

    Raises UsageError naming file, line, value and remedy.
    """
    return [_from_row(path, line, row) for line, row in read_columns(path, "path", "label", "speaker")]


def _from_row(path: Path, line: int, row: Mapping[str, str]) -> Clip:
    label = row["label"].strip().lower()
    if label not in LABELS:
        raise UsageError(f"label '{label}' is none of {', '.join(LABELS)}", path=path, line=line, remedy="rename it")
    speaker, name = row["speaker"].strip(), row["path"].strip()
    if not speaker or not name:
        raise UsageError("path and speaker may not be empty", path=path, line=line, remedy="fill them in (any stable name of the speaker)")
    return Clip(path=path.parent / name, label=label, speaker=f"csv:{speaker}", corpus="csv", item=Path(name).stem)


def gather(roots: Mapping[str, Path]) -> list[Clip]:
    """All clips of the given corpora ({"tess": folder, ..., "csv": file}). Raises UsageError."""
    readers: dict[str, Callable[[Path], list[Clip]]] = {"csv": read_csv}
    return [clip for corpus, root in roots.items() for clip in (readers[corpus](root) if corpus in readers else read_layout(corpus, root))]
