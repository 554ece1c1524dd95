"""Overlay, VADER and the learned model joined in log-odds against neutral.

Without a model the weights below stand in: fitted by logistic regression, classes weighted alike, on the hand-written sentences of
tests/words/service-dev.yaml.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.bundle.signature import Trust
from edge.values import Polarity
from edge.words.lexicon import Acted, Lexicon
from edge.words.sentiment import Vader

# (overlay negative / 4, overlay positive / 4, overlay score, VADER above 0, VADER below 0, 1) -> log-odds against neutral.
_ALONE_NEGATIVE = (-3.0, 0.0, -2.7, -0.5, -1.0, -1.2)
_ALONE_POSITIVE = (0.0, 3.2, 2.7, 1.0, 0.5, -1.8)
_EQUAL: Mapping[Polarity, float] = dict.fromkeys(Polarity, 1 / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Something that moved the judgement, in log-odds of positive over negative; `words` are the spoken words that it shows."""

    name: str
    weight: float
    words: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One sentence judged. `p` sums to 1 and holds the prior; the log-odds against neutral do not. `causes`: code -> probability."""

    p: Mapping[Polarity, float]
    label: Polarity
    llr_negative: float
    llr_positive: float
    causes: Mapping[str, float] | None
    drivers: tuple[Moved, ...]
    signals: tuple[str, ...]


class Judge:
    """Lexicon, VADER and, where there is one, the learned model. Immutable after `load`; safe from any thread."""

    def __init__(self, lexicon: Lexicon, vader: Vader) -> None:
        self.lexicon = lexicon
        self.prior: Mapping[Polarity, float] = _EQUAL
        self._vader = vader

    @classmethod
    def load(cls, bundle: Path | None, lexicon: Lexicon, *, trust: Trust | None = None) -> "Judge":
        """With the learned model in the folder `bundle`, if given. Raises ModelError."""
        del bundle, trust
        return cls(lexicon, Vader())

    def read(self, tokens: Sequence[str]) -> Judged:
        """The judgement on lower-case `tokens` from which agent phrases have been taken out."""
        acted = self.lexicon.act(tokens)
        compound = self._vader.compound(tokens, acted.masked)
        features = (acted.negative / 4, acted.positive / 4, acted.score, max(compound, 0.0), min(compound, 0.0), 1.0)
        negative = sum(weight * x for weight, x in zip(_ALONE_NEGATIVE, features, strict=True))
        positive = sum(weight * x for weight, x in zip(_ALONE_POSITIVE, features, strict=True))
        p = softmax({Polarity.NEGATIVE: negative, Polarity.NEUTRAL: 0.0, Polarity.POSITIVE: positive})
        return Judged(
            p=p,
            label=max((Polarity.NEUTRAL, Polarity.NEGATIVE, Polarity.POSITIVE), key=lambda polarity: p[polarity]),
            llr_negative=negative,
            llr_positive=positive,
            causes=None,
            drivers=tuple(self.lexicon_drivers(tokens, acted)),
            signals=tuple(sorted({entry.category for entry in acted.entries})),
        )

    def lexicon_drivers(self, tokens: Sequence[str], acted: Acted) -> list[Moved]:
        """What the overlay and VADER rated, on their own scale of -4..4."""
        drivers = [Moved(name=entry.name, weight=entry.weight) for entry in acted.entries]
        drivers += [Moved(name=f"vader: {word}", weight=weight) for word, weight in self._vader.rated(tokens, acted.masked)]
        return drivers


def softmax(scores: Mapping[Polarity, float]) -> dict[Polarity, float]:
    """Probabilities of the log-odds `scores`, sum 1."""
    top = max(scores.values())
    powers = {polarity: math.exp(score - top) for polarity, score in scores.items()}
    whole = sum(powers.values())
    return {polarity: power / whole for polarity, power in powers.items()}
