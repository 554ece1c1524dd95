"""The recogniser's language model on the disk: OpenFst's `ngram` FST, read into arrays and written from them.

The format is that of Sorensen and Allauzen 2011, "Unary data structures for language models". A context is a node of a trie of words,
most recent first, whose shape is a LOUDS bit string: node i is the i-th one, and its parent is the number of zeros before it less one.
Nodes are numbered breadth first, children by label; a node's parent is also its back-off.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MAGIC = 0x7EB2FDD6
_SYMBOLS_MAGIC = 0x7EB2FB74
# The context word of a sentence's beginning; as a label it would be epsilon, which no word is.
BEGIN = 0
NO_WORD = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class NGrams:
    """A back-off model in costs (-ln p). `end` is the label that stands for a sentence's end.

    `contexts` is int64 (states, 2), the most recent word first, `NO_WORD` where there is none; state 0 has no words. `backoff` is float64
    (states,), 0 where nothing backs off. `state`, `word` (int64) and `cost` (float64) are (n-grams,), sorted by state and then word.
    """

    words: tuple[str, ...]
    end: int
    contexts: Ints
    backoff: Floats
    state: Ints
    word: Ints
    cost: Floats
    header: bytes


def read(path: Path) -> NGrams:
    """The model in the file at `path`, of order 3 at most. Raises ModelError where it is none."""
    try:
        return _read(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path=path, remedy="run `undertone fetch-model`") from error
    except (ValueError, struct.error, IndexError, UnicodeDecodeError) as error:
        what = f"is no n-gram FST of at most three words ({error})"
        raise ModelError(what, path=path, remedy="give a small Vosk model's graph/Gr.fst") from error


def _read(data: bytes) -> NGrams:
    header, words = _header(data)
    at = len(header)
    states, futures, finals = struct.unpack_from("<QQQ", data, at)
    at += 24
    shape = []
    for bits in (2 * states + 1, futures + states + 1, states):
        size = (bits + 63) // 64 * 8
        shape.append(np.unpackbits(np.frombuffer(data, np.uint8, size, at), bitorder="little")[:bits])
        at += size
    context_words: Ints = np.frombuffer(data, "<i4", states + 1, at).astype(np.int64)
    future_words: Ints = np.frombuffer(data, "<i4", futures, at + 4 * (states + 1)).astype(np.int64)
    at += 4 * (states + 1 + futures)
    costs: Floats = np.frombuffer(data, "<f4", states + 1 + finals + futures, at).astype(np.float64)
    backoff, final_costs, future_costs = np.split(costs, (states + 1, states + 1 + finals))
    contexts = _contexts(shape[0], context_words)
    end = _label(words, "</s>")
    holds = np.flatnonzero(shape[2])
    owner = np.cumsum(shape[1] == 0)[shape[1] == 1] - 1
    state = np.concatenate([owner, holds])
    word = np.concatenate([future_words, np.full(len(holds), end)])
    order = np.lexsort((word, state))
    return NGrams(
        words=words,
        end=end,
        contexts=contexts,
        backoff=np.where(np.arange(states) == 0, 0.0, backoff[:states]),
        state=state[order],
        word=word[order],
        cost=np.concatenate([future_costs, final_costs])[order],
        header=header,
    )


def _header(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Everything before the model's own data, and the words by label."""
    at = 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return int(value)

    def text() -> bytes:
        nonlocal at
        size = take("<i")
        at += size
        return data[at - size : at]

    if take("<i") != _MAGIC or text() != b"ngram" or text() != b"standard":
        raise ValueError("not of type ngram")
    take("<i")
    flags = take("<i")
    at += 4 * 8
    named: dict[int, str] = {}
    for flag in (1, 2):
        if flags & flag:
            if take("<i") != _SYMBOLS_MAGIC:
                raise ValueError("no table of words")
            text()
            at += 8
            for _ in range(take("<q")):
                word = text().decode()
                named[take("<q")] = word
    return data[:at], tuple(named.get(label, "") for label in range(max(named, default=-1) + 1))


def _label(words: tuple[str, ...], word: str) -> int:
    return words.index(word)


def _contexts(louds: NDArray[np.uint8], context_words: Ints) -> Ints:
    """(states, 2), most recent word first. Raises ValueError for contexts of more than two words."""
    places = np.flatnonzero(louds)
    parent = np.cumsum(louds == 0)[places] - 1
    states = len(places)
    depth = np.zeros(states, np.int64)
    for level in (1, 2, 3):
        depth[(parent >= 0) & (depth[parent] == level - 1) & (np.arange(states) > 0)] = level
    if depth.max(initial=0) > 2:  # noqa: PLR2004 (three words an n-gram)
        raise ValueError("contexts of more than two words")
    contexts = np.full((states, 2), NO_WORD, np.int64)
    one, two = depth == 1, depth == 2  # noqa: PLR2004
    contexts[one, 0] = context_words[:states][one]
    contexts[two, 0] = context_words[:states][parent[two]]
    contexts[two, 1] = context_words[:states][two]
    return contexts


def write(path: Path, model: NGrams) -> None:
    """Write `model` to `path`; its contexts must be sorted as `read` leaves them (by length, most recent word, older word)."""
    states = len(model.contexts)
    depth = (model.contexts != NO_WORD).sum(axis=1)
    index = {int(word): number for number, word in enumerate(model.contexts[:, 0]) if depth[number] == 1}
    parent = np.zeros(states, np.int64)
    deep = np.flatnonzero(depth == 2)  # noqa: PLR2004
    parent[deep] = [index[int(word)] for word in model.contexts[deep, 0]]
    children = np.bincount(parent[1:], minlength=states)
    ends = model.word == model.end
    state, word, cost = (array[~ends] for array in (model.state, model.word, model.cost))
    final = np.zeros(states, np.uint8)
    final[model.state[ends]] = 1
    own = np.where(depth == 2, model.contexts[:, 1], model.contexts[:, 0])  # noqa: PLR2004
    own[0] = NO_WORD
    backoff = model.backoff.copy()
    backoff[0] = np.inf
    parts = [
        _with_states(model.header, states),
        struct.pack("<QQQ", states, len(word), int(ends.sum())),
        _packed(np.concatenate([[1, 0], _unary(children)])),
        _packed(np.concatenate([[0], _unary(np.bincount(state, minlength=states))])),
        _packed(final),
        own.astype("<i4").tobytes(),
        struct.pack("<i", 0),
        word.astype("<i4").tobytes(),
        backoff.astype("<f4").tobytes(),
        struct.pack("<f", 0),
        model.cost[ends].astype("<f4").tobytes(),
        cost.astype("<f4").tobytes(),
        struct.pack("<i", 0),
    ]
    path.write_bytes(b"".join(parts))


def _with_states(header: bytes, states: int) -> bytes:
    """The header with its count of states: behind magic, both types, version, flags, properties and start state."""
    at = 4 + (4 + len("ngram")) + (4 + len("standard")) + 4 + 4 + 8 + 8
    return header[:at] + struct.pack("<q", states) + header[at + 8 :]


def _unary(counts: Ints) -> NDArray[np.uint8]:
    """For each count that many ones and a zero."""
    bits = np.ones(int(counts.sum()) + len(counts), np.uint8)
    bits[np.cumsum(counts + 1) - 1] = 0
    return bits


def _packed(bits: NDArray[np.uint8]) -> bytes:
    """In 64-bit words."""
    packed = np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()
    return packed.ljust((len(packed) + 7) // 8 * 8, b"\0")
