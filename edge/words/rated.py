"""What the overlay and VADER say of a sentence, as numbers for the combination: one definition for training and for the box."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.phrases.lexicon import FEATURES, Acted, Lexicon
from edge.words.sentiment import Vader

RATED = (*FEATURES, "vader_positive", "vader_negative", "long")
# Sentences of this many words are as long as a turn gets before another clause says something else.
_LONG = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """`numbers` in the order of RATED, each about -3..3; `compound` is VADER's for the words that the overlay left."""

    acted: Acted
    compound: float
    numbers: tuple[float, ...]


def rate(tokens: Sequence[str], lexicon: Lexicon, vader: Vader) -> Rated:
    """What `lexicon` and, on the words that it left, `vader` say of lower-case `tokens`."""
    acted = lexicon.act(tokens)
    compound = vader.compound(tokens, acted.masked)
    more = (max(compound, 0.0), min(compound, 0.0), min(len(tokens), _LONG) / _LONG)
    return Rated(acted=acted, compound=compound, numbers=(*acted.features(), *more))
