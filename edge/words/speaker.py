"""Who speaks on a mixed line: told by the words of each utterance, and by the turns around it.

The words alone: hashed n-grams (edge.words.ngrams), as the words model's, learnt from both sides of service dialogues. The turns: a hidden
Markov chain of two speakers, followed forwards, for an utterance is told as soon as it is over (Rabiner 1989, section III.A).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.words.ngrams import PAIR_BITS, WORD_BITS, length_scale, pair_rows, word_rows

# int8 rows of the n-grams; what a step of each table is worth in log-odds; weights of the share of agents' script in it, and of 1.
TABLES: Mapping[str, tuple[tuple[int, ...], type[np.generic]]] = {
    "words": ((1 << WORD_BITS,), np.int8),
    "pairs": ((1 << PAIR_BITS,), np.int8),
    "scale": ((2,), np.float32),
    "dense": ((2,), np.float32),
}
# After an utterance the other side speaks next this often: 69 % of 155 times in four real calls cut by our own endpointer; not all lines
# are as orderly as those. Who picks up the telephone speaks first more often than not (set: recordings seldom begin there).
SWITCH, OPENS = 0.65, 0.6
# The words of one utterance count so far and no further: dialogues by writing are surer of who speaks than people's speech is.
_CLIP = 4.0
# Nobody is surer than this of who speaks (e^8 to 1), however long the turn.
_SURE = 8.0
# From this probability on an utterance is an agent's, and nothing of it is judged.
AGENT = 0.8


class SpeakerModel:
    """Log-odds that an agent says something, by the words alone. Immutable; safe from any thread."""

    def __init__(self, tables: Mapping[str, NDArray[np.generic]]) -> None:
        """`tables` are those of TABLES."""
        self._words, self._pairs = np.asarray(tables["words"], np.int32), np.asarray(tables["pairs"], np.int32)
        self._scale = np.asarray(tables["scale"], np.float64)
        self._script, self._always = np.asarray(tables["dense"], np.float64).tolist()

    def log_odds(self, tokens: Sequence[str], *, script: float) -> float:
        """For lower-case `tokens` of an utterance; `script`: the share of them that agents say by script (Lexicon.script_share)."""
        by_word = sum(int(self._words[word_rows(word)].sum()) for word in dict.fromkeys(tokens))
        by_pair = int(self._pairs[pair_rows(tokens)].sum())
        grams = by_word * float(self._scale[0]) + by_pair * float(self._scale[1])
        return float(length_scale(tokens) * grams + self._script * script + self._always)


class Speakers:
    """Who has spoken so far in one call on a mixed line. Owned by one thread."""

    def __init__(self) -> None:
        self._agent: float = OPENS
        self._turn: int | None = None

    def heard(self, log_odds: float, *, turn: int) -> float:
        """The probability that an agent said an utterance whose words speak so; utterances of one `turn` are of one speaker."""
        if self._turn is not None and turn != self._turn:
            self._agent = self._agent * (1.0 - SWITCH) + (1.0 - self._agent) * SWITCH
        self._turn = turn
        odds = math.log(self._agent / (1.0 - self._agent)) + min(max(log_odds, -_CLIP), _CLIP)
        self._agent = 1.0 / (1.0 + math.exp(-min(max(odds, -_SURE), _SURE)))
        return self._agent


def share_of_customer(p_agent: float) -> float:
    """How much an utterance counts that an agent said with this probability: in full at 0, a quarter at 0.5, not at all from AGENT on."""
    # A straight line lets 5.1 % of agents' bad news count as a customer's displeasure, this 4.8 % (docs/words-experiments.md).
    return float(max(0.0, 1.0 - p_agent / AGENT) ** 1.5)
