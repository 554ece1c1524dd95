"""Words, word pairs and letter groups as hashed features: one definition for training and for the box.

A sentence is the sum over its distinct words of their rows in the word table, and over its distinct neighbouring pairs of theirs in the
pair table, divided by the root of its length. So a word's whole share (itself and its letter groups) is known before the sentence is.
A word met often enough in training adds a row of its own besides: what the words that keep the same company as it mean.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

# 2^15 and 2^16 rows: fewer lose accuracy to collisions, more only make the file bigger (docs/words-experiments.md).
WORD_BITS, PAIR_BITS = 15, 16
# Words that are known by themselves are told apart by so many bits: two of some thousand seldom share a number.
KNOWN_BITS = 18
_PAIR_MASK = (1 << PAIR_BITS) - 1
# Letter groups within a word, its edges marked: they carry misspellings, and endings that a recogniser got wrong.
_LETTERS = (2, 3, 4, 5)
# As if each sentence had two more words: keeps one loud word alone from shouting.
_LENGTH_OFFSET = 2.0


def word_rows(word: str) -> list[int]:
    """Rows of the word table that `word` adds up from, ascending."""
    edged = f"^{word}$"
    grams = {edged[at : at + size] for size in _LETTERS for at in range(len(edged) - size + 1)}
    # A whole word is marked, so that it never shares its row with its own letters.
    rows = {crc32(gram.encode()) & ((1 << WORD_BITS) - 1) for gram in (*grams, f"w{word}")}
    return sorted(rows)


def known_number(word: str) -> int:
    """The number by which `word` is known."""
    return crc32(word.encode()) & ((1 << KNOWN_BITS) - 1)


def pair_rows(tokens: Sequence[str]) -> list[int]:
    """Rows of the pair table for the distinct neighbours in `tokens`, the sentence's edges included, ascending."""
    return sorted({crc32(f"{a} {b}".encode()) & _PAIR_MASK for a, b in pairwise(("<", *tokens, ">"))})


def length_scale(tokens: Sequence[str]) -> float:
    """What the sum over words and pairs is multiplied by."""
    return 1.0 / math.sqrt(len(tokens) + _LENGTH_OFFSET)
