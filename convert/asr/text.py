"""Text that a recogniser's language model learns from: one sentence a line, as spoken; kept apart by hash for judging it."""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import UsageError
from edge.files.text import unread

# A tenth of all text, by its own hash, so that a sentence that comes twice is on one side.
_HELD_OUT_OF = 10
_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What was said, in words, in which file, and how much it counts."""

    words: tuple[str, ...]
    source: str
    weight: float = 1.0

    @property
    def held_out(self) -> bool:
        """Whether it is kept for judging."""
        return int(hashlib.sha256(" ".join(self.words).encode()).hexdigest()[:8], 16) % _HELD_OUT_OF == 0


def read(written: str) -> Iterator[Sentence]:
    """The sentences of `FILE` or `FILE=WEIGHT`: lines of text; of .tsv and .csv the column `text`, else the last one.

    Lower case and the words alone are kept; a number in digits is no word. Raises UsageError.
    """
    name, _, number = written.rpartition("=")
    path = Path(name or written)
    try:
        weight = float(number) if name else 1.0
        with path.open(encoding="utf-8", newline="") as file:
            for line in _lines(path, file):
                words = tuple(_WORD.findall(line.lower()))
                if words:
                    yield Sentence(words=words, source=path.name, weight=weight)
    except ValueError as error:
        what = unread(error) if isinstance(error, UnicodeDecodeError) else str(error)
        remedy = "give FILE or FILE=WEIGHT, UTF-8 text as spoken, one sentence a line"
        raise UsageError(what, where=f"--text {written}", remedy=remedy) from error
    except OSError as error:
        raise UsageError(
            error.strerror or "cannot be read", where="--text", path=path, remedy="give a file of text as spoken, one sentence a line"
        ) from error


def _lines(path: Path, file: Iterator[str]) -> Iterator[str]:
    if path.suffix not in (".tsv", ".csv"):
        yield from file
        return
    rows = csv.reader(file) if path.suffix == ".csv" else csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    head: Sequence[str] = next(rows, [])
    if "text" in head:
        column = list(head).index("text")
    else:
        column = len(head) - 1
        yield head[column] if head else ""
    for row in rows:
        if len(row) > column:
            yield row[column]
