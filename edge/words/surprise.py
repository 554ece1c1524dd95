"""How unlikely words are on a service call: nats a word under the n-grams that the recogniser's language model was fitted with.

A word that follows others in no listed n-gram is looked up behind fewer of them, and pays for that ("stupid back-off": Brants et al. 2007,
"Large language models in machine translation", section 4; their factor 0.4).
"""

import io
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

_BACKED_OFF = -math.log(0.4)
# Words that no service call had: rarer than its rarest (12 nats), backed off twice.
_UNKNOWN = 15.0
# As edge.asr.fitted numbers them: a sentence's begin and end, then the words, then "no word".
_BEGIN, _FIRST = 0, 2
_BITS = 20


class NGramCosts:
    """The table. Immutable; safe from any thread."""

    def __init__(self, data: bytes) -> None:
        """`data` is the file `service.ngrams.npz` (edge.asr.fitted.save_ngrams)."""
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            names = bytes(held["words"]).decode().split("\n")
            older, recent, word = (held[name].astype(np.int64) for name in ("older", "recent", "word"))
            cost = held["cost"].astype(np.float32)
        self._number = {name: at + _FIRST for at, name in enumerate(names)}
        self._no_word = len(names) + _FIRST
        keys = (older << 2 * _BITS) | (recent << _BITS) | word
        order = np.argsort(keys)
        self._keys, self._costs = keys[order], cost[order]

    def surprise(self, words: Sequence[str]) -> float:
        """Mean -ln p of lower-case `words` (at least one), each after the two before it."""
        older, recent, total = self._no_word, _BEGIN, 0.0
        for name in words:
            word = self._number.get(name)
            total += _UNKNOWN if word is None else self._cost(older, recent, word)
            older, recent = recent, self._no_word if word is None else word
        return total / len(words)

    def _cost(self, older: int, recent: int, word: int) -> float:
        contexts = ((older, recent), (self._no_word, recent), (self._no_word, self._no_word))
        for backed_off, (before, last) in enumerate(contexts):
            key = (before << 2 * _BITS) | (last << _BITS) | word
            at = int(np.searchsorted(self._keys, key))
            if at < len(self._keys) and self._keys[at] == key:
                return float(self._costs[at]) + backed_off * _BACKED_OFF
        return _UNKNOWN


@cache
def service_calls() -> NGramCosts:
    """The table that ships."""
    return NGramCosts(files("edge.asr").joinpath("service.ngrams.npz").read_bytes())
