"""The complaint corpus: rows, near-duplicates kept together, folds, and which airline a row is about."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from convert.columns import read_columns
from edge.errors import UsageError

LABELS = ("negative", "neutral", "positive")
# The corpus's ten causes, in the order of the model's outputs.
CAUSES = (
    "Bad Flight", "Can't Tell", "Cancelled Flight", "Customer Service Issue", "Damaged Luggage", "Flight Attendant Complaints",
    "Flight Booking Problems", "Late Flight", "Lost Luggage", "longlines",
)  # fmt: skip
FOLDS = 5
# Two rows that share half of their word pairs are the same tweet, told on.
_SAME = 0.5
# A pair in more rows than this says nothing about sameness, and makes every row a candidate.
_COMMON = 200
# Candidates share at least this part of the shorter row's uncommon pairs.
_CANDIDATE = 0.3
# The file goes airline by airline and back in time within each: an id that jumps up by so much (about a day) starts the next one.
_NEXT_AIRLINE = 500_000_000_000_000
# The smallest airline has 3 % of the rows.
_SHORT_PIECE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: `label` indexes LABELS, `cause` indexes CAUSES or is -1."""

    id: str
    text: str
    label: int
    cause: int


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file with id, text, label, cause. Raises UsageError naming file, line and column."""
    return [_row(row, path, line) for line, row in read_columns(path, "id", "text", "label", "cause")]


def _row(row: dict[str, str], path: Path, line: int) -> Row:
    text, label, cause = row["text"], row["label"], row["cause"]
    if not row["id"]:
        raise UsageError("the id may not be missing", path=path, line=line, remedy="fill it in")
    if label not in LABELS:
        raise UsageError(f"label '{label}' is none of {', '.join(LABELS)}", path=path, line=line, remedy="rename it")
    if cause and cause not in CAUSES:
        raise UsageError(f"cause '{cause}' is none of {', '.join(CAUSES)}", path=path, line=line, remedy="rename it, or leave it empty")
    return Row(id=row["id"], text=text, label=LABELS.index(label), cause=CAUSES.index(cause) if cause else -1)


def duplicate_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """A group number for each text: those with half of their word pairs in common share one (single linkage)."""
    pairs: dict[tuple[str, str], int] = {}
    holds = [{pairs.setdefault(pair, len(pairs)) for pair in _pairs(text)} for text in texts]
    at = np.repeat(np.arange(len(texts)), [len(held) for held in holds])
    columns = np.fromiter((pair for held in holds for pair in held), np.int64)
    table = sparse.csr_matrix((np.ones(len(at), np.float32), (at, columns)), shape=(len(texts), len(pairs)))
    rare = table[:, np.asarray(table.sum(0)).ravel() <= _COMMON]
    shared = sparse.triu(rare @ rare.T, k=1).tocoo()
    parent = np.arange(len(texts))
    for a, b, count in zip(shared.row, shared.col, shared.data, strict=True):
        near = count >= _CANDIDATE * min(len(holds[a]), len(holds[b]))
        if near and len(holds[a] & holds[b]) >= _SAME * len(holds[a] | holds[b]):
            parent[_root(parent, a)] = _root(parent, b)
    first: dict[str, int] = {}
    for position, text in enumerate(texts):
        parent[_root(parent, position)] = _root(parent, first.setdefault(text, position))
    return np.array([_root(parent, position) for position in range(len(texts))])


def folds(rows: Sequence[Row]) -> NDArray[np.int64]:
    """A fold 0..4 for each row, whole groups together, by hash of the group's smallest id: it does not change with the file's order."""
    groups = duplicate_groups([row.text for row in rows])
    names: dict[int, str] = {}
    for row, group in zip(rows, groups, strict=True):
        names[int(group)] = min(names.get(int(group), row.id), row.id)
    return np.array([_hash(names[int(group)]) % FOLDS for group in groups])


def airlines(rows: Sequence[Row]) -> NDArray[np.int64]:
    """A number for each row's airline, from the order of the file: within an airline ids fall."""
    ids = [int(row.id) for row in rows]
    starts = [0, *(at for at in range(1, len(ids)) if ids[at] - ids[at - 1] > _NEXT_AIRLINE), len(ids)]
    numbers = np.zeros(len(rows), np.int64)
    number = 0
    for start, end in pairwise(starts):
        numbers[start:end] = number
        # A short piece is no airline but a break within the next one.
        number += int(end - start >= _SHORT_PIECE * len(ids))
    return numbers


def _pairs(text: str) -> set[tuple[str, str]]:
    words = text.split()
    return set(zip(["^", *words], [*words, "$"], strict=True))


def _root(parent: NDArray[np.int64], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = int(parent[node])
    return node


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
