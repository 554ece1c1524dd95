"""Sentences beside the airline corpus: our own pairs and sayings, and what calm people said in public corpora. Each has a held-out part."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.words.corpus import LABELS
from convert.words.service import ServiceSentence
from edge.errors import UsageError
from edge.files.text import unread
from edge.phrases.tokens import tokenize

PAIRS = Path(__file__).with_name("pairs.tsv")
SAID = Path(__file__).with_name("said.tsv")
# Of public corpora, this share of the texts is held out, by hash.
_HELD = 0.3
# Their calm turns are learnt as neutral but for those that may be thanks.
_MAYBE_GLAD = frozenset((
    "thank", "thanks", "thankyou", "great", "good", "perfect", "awesome", "excellent", "wonderful", "lovely", "nice", "love", "brilliant",
    "amazing", "glad", "happy", "cool", "enjoy", "fantastic", "appreciate", "helpful", "sweet", "super", "best", "welcome", "fun",
    "beautiful",
))  # fmt: skip
# Read by people as satisfied at least so far (1 to 5).
_SATISFIED = 3.0


# How much a sentence of each kind counts beside a row of the corpus. There are few of ours, and many calm turns.
_PAIR, _SAID, _SERVICE, _CALM = 2.0, 2.0, 1.0, 0.7
# Of each file of calm turns so many are learnt: more of them say the same.
_CALM_MOST = 1500
# Kinds of sayings in which nothing that went wrong is told.
_NOTHING_WRONG = ("closing", "greeting", "acceptance", "praise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One sentence to learn: `label` indexes LABELS, `cause` the corpus's causes or is -1; `weight` is how much it counts.

    `matter`: 1 where something that went wrong is told, 0 where not, -1 where nobody said.
    """

    tokens: Sequence[str]
    label: int
    cause: int = -1
    matter: int = -1
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One matter told calmly and told with displeasure; `held` pairs are never learnt from."""

    held: bool
    trade: str
    calm: str
    displeased: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence of ours that has no twin; `kind` is what it is an example of."""

    held: bool
    label: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """A turn of a calm person: `group` is the file's name, and the trade where it names one."""

    held: bool
    group: str
    text: str

    @property
    def plain(self) -> bool:
        """Says nothing that may be gladness: can be learnt as neutral."""
        return is_plain(self.text)


def is_plain(text: str) -> bool:
    """Whether no word of `text` may be gladness; "no thank you" is none."""
    words = text.split()
    return _MAYBE_GLAD.isdisjoint(words[2:] if words[:2] in (["no", "thank"], ["no", "thanks"]) else words)


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """The pairs of a TSV file. Raises UsageError."""
    return [
        Pair(held=row["part"] == "held", trade=row["trade"], calm=row["calm"], displeased=row["displeased"])
        for row in read_tsv(path, ("part", "trade", "calm", "displeased"))
    ]


def read_said(path: Path = SAID) -> list[Said]:
    """The sentences of a TSV file. Raises UsageError."""
    return [
        Said(held=row["part"] == "held", label=row["label"], kind=row["kind"], text=row["text"])
        for row in read_tsv(path, ("part", "label", "kind", "text"))
    ]


def read_calm(paths: Sequence[Path]) -> list[Calm]:
    """Distinct texts of TSV files with a column `text`: of one with `role` the agents' alone, of one with `rating` those from 3 up.

    Raises UsageError.
    """
    found: dict[str, Calm] = {}
    for path in paths:
        for row in read_tsv(path, ("text",)):
            if row.get("role", "agent") != "agent" or float(row.get("rating", _SATISFIED)) < _SATISFIED:
                continue
            text, trade = row["text"], row.get("trade")
            found.setdefault(text, Calm(held=hashed(text) < _HELD, group=f"{path.stem}: {trade}" if trade else path.stem, text=text))
    return list(found.values())


def lessons(pairs: Sequence[Pair], said: Sequence[Said], service: Sequence[ServiceSentence], calm: Sequence[Calm]) -> list[Lesson]:
    """What is learnt beside the corpus: nothing of it is held out."""
    learnt: list[Lesson] = []
    for pair in pairs:
        if not pair.held:
            learnt.append(Lesson(tokens=tokenize(pair.calm), label=LABELS.index("neutral"), matter=1, weight=_PAIR))
            learnt.append(Lesson(tokens=tokenize(pair.displeased), label=LABELS.index("negative"), weight=_PAIR))
    learnt += [
        Lesson(tokens=tokenize(one.text), label=LABELS.index(one.label), matter=0 if one.kind in _NOTHING_WRONG else -1, weight=_SAID)
        for one in said
        if not one.held
    ]
    learnt += [
        Lesson(tokens=tokenize(one.text), label=LABELS.index(one.label), matter=int(one.cause is not None), weight=_SERVICE)
        for one in service
    ]
    neutral = LABELS.index("neutral")
    return learnt + [Lesson(tokens=tokenize(text), label=neutral, weight=_CALM) for text in chosen(calm, _CALM_MOST)]


def chosen(calm: Sequence[Calm], most: int) -> list[str]:
    """What is learnt of each file, `most` texts of it at most, by hash."""
    learnt: dict[str, list[str]] = {}
    for one in sorted(calm, key=lambda one: hashed(f"learnt {one.text}")):
        if not one.held and one.plain:
            learnt.setdefault(one.group.partition(":")[0], []).append(one.text)
    return [text for texts in learnt.values() for text in texts[:most]]


def hashed(text: str) -> float:
    """A number from 0 to 1 by `text` alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


def read_tsv(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a file of columns set apart by tabs, which has those `needed`. Raises UsageError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(unread(error), path=path, remedy="give a UTF-8 file of columns set apart by tabs") from error
    missing = set(needed) - set(rows[0] if rows else ())
    if missing:
        raise UsageError(f"no column {', '.join(sorted(missing))}", path=path, remedy=f"give a file with the columns {', '.join(needed)}")
    return rows
