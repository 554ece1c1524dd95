"""The sentence net on the box: word pieces in, four layers of a transformer over them (TFLite, int8 weights), answers out.

It reads the sentence as a whole, in its order, which n-grams do not: "it couldn't have gone better", "thanks for nothing".
convert.words.network trains it. A sentence of a dozen words takes a millisecond or two of a PC's core (several times that in numpy, whose
float32 weights go through the processor's caches for each sentence).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WIDTH = 384
# Sentences are cut here, first and last mark included: a turn of 50 words has said what it says.
MOST_PIECES = 64
# What is asked of a sentence, and how many answers there are: negative, neutral, positive; the corpus's causes; is something wrong told.
HEADS = {"polarity": 3, "cause": 10, "matter": 2}
_RUNS = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


class Pieces:
    """Words cut into the pieces that the net knows, longest first (WordPiece). Safe from any thread."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._unknown, self._first, self._last = (self._numbers[mark] for mark in ("[UNK]", "[CLS]", "[SEP]"))
        self._cut: dict[str, tuple[int, ...]] = {}

    def of_word(self, word: str) -> tuple[int, ...]:
        """The numbers of the pieces of lower-case `word`."""
        known = self._cut.get(word)
        if known is None:
            if len(self._cut) >= 20_000:  # noqa: PLR2004 (a vocabulary of everyday English)
                self._cut.clear()
            known = self._cut[word] = tuple(number for run in _RUNS.findall(word) for number in self._of_run(run))
        return known

    def _of_run(self, run: str) -> list[int]:
        found, at = [], 0
        while at < len(run):
            for end in range(len(run), at, -1):
                number = self._numbers.get(("##" if at else "") + run[at:end])
                if number is not None:
                    found.append(number)
                    at = end
                    break
            else:
                return [self._unknown]
        return found

    def __call__(self, tokens: Sequence[str]) -> list[int]:
        """The numbers of the pieces of a sentence, its marks included, MOST_PIECES at most."""
        inside = [number for token in tokens for number in self.of_word(token)][: MOST_PIECES - 2]
        return [self._first, *inside, self._last]


def tables(pieces: int) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Shape and kind of each table that stands beside the layers of a net that knows `pieces` pieces, but for `vocabulary`.

    `pieces` are int8 in steps of `pieces_scale`, `places` what is added to them by their place; the others are the heads.
    """
    found: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "pieces": ((pieces, WIDTH), np.int8),
        "pieces_scale": ((pieces,), np.float32),
        "places": ((MOST_PIECES, WIDTH), np.float32),
    }
    for name, wide in HEADS.items():
        found[name] = ((WIDTH, wide), np.float32)
        found[f"{name}_bias"] = ((wide,), np.float32)
    return found


def vocabulary(weights: Mapping[str, NDArray[np.generic]]) -> list[str]:
    """The pieces of a net, one a line of UTF-8. Raises UnicodeDecodeError."""
    return bytes(np.asarray(weights["vocabulary"], np.uint8)).decode().split("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Scores before softmax: polarity (3,), cause (10,), matter (2,)."""

    polarity: Floats
    cause: Floats
    matter: Floats


class SentenceNet:
    """A loaded net. Safe from any thread if `layers` is."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]], layers: Callable[[Floats], Floats]) -> None:
        """`weights` are those of `tables`, and `vocabulary`; `layers` makes (WIDTH,) of a sentence's pieces, float32 (pieces, WIDTH)."""
        self._pieces, self._layers = Pieces(vocabulary(weights)), layers
        self._rows = np.asarray(weights["pieces"], np.int8)
        self._row_scale = np.asarray(weights["pieces_scale"], np.float32)
        self._places = np.asarray(weights["places"], np.float32)
        self._heads = {name: (np.asarray(weights[name], np.float32), np.asarray(weights[f"{name}_bias"], np.float32)) for name in HEADS}

    def read(self, tokens: Sequence[str]) -> Read:
        """What lower-case `tokens` say."""
        numbers = self._pieces(tokens)
        read = self._layers(self._rows[numbers] * self._row_scale[numbers, None] + self._places[: len(numbers)])
        return Read(**{name: read @ table + bias for name, (table, bias) in self._heads.items()})
