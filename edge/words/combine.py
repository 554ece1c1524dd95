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
from edge.words.lexicon import Lexicon
from edge.words.model import WordsModel, polarities
from edge.words.rated import RATED, Rated, rate
from edge.words.sentiment import Vader

# (overlay negative / 4, overlay positive / 4, overlay score, VADER above 0, VADER below 0, 1) -> log-odds against neutral.
_ALONE_NEGATIVE = (-3.0, 0.0, -2.7, -0.5, -1.0, -1.2)
_ALONE_POSITIVE = (0.0, 3.2, 2.7, 1.0, 0.5, -1.8)
# What 1 of each number adds to positive over negative.
_ALONE_SHARES = {
    name: positive - negative
    for name, negative, positive in zip(
        ("negative", "positive", "score", "vader_positive", "vader_negative"), _ALONE_NEGATIVE, _ALONE_POSITIVE, strict=False
    )
}
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

    def __init__(self, lexicon: Lexicon, vader: Vader, model: WordsModel | None = None) -> None:
        self.lexicon = lexicon
        self._vader, self._model = vader, model

    @classmethod
    def load(cls, bundle: Path | None, lexicon: Lexicon, *, trust: Trust | None = None) -> "Judge":
        """With the learned model in the folder `bundle`, if given. Raises ModelError."""
        return cls(lexicon, Vader(), WordsModel.load(bundle, trust=trust) if bundle is not None else None)

    @property
    def prior(self) -> Mapping[Polarity, float]:
        """The shares of the three polarities that the probabilities hold."""
        return _EQUAL if self._model is None else polarities(self._model.calibration.prior)

    def read(self, tokens: Sequence[str]) -> Judged:
        """The judgement on lower-case `tokens` from which agent phrases have been taken out."""
        rated = rate(tokens, self.lexicon, self._vader)
        signals = tuple(sorted({entry.category for entry in rated.acted.entries}))
        if self._model is None:
            return _judged_alone(rated, signals, self._rated_drivers(tokens, rated, _ALONE_SHARES))
        scored = self._model.score(tokens, rated.numbers)
        known = self._model.calibration
        p = softmax({Polarity.NEGATIVE: scored.negative, Polarity.NEUTRAL: 0.0, Polarity.POSITIVE: scored.positive})
        weighed = {polarity: p[polarity] * factor for polarity, factor in polarities(known.decision).items()}
        negative, neutral, positive = known.prior
        drivers = self._rated_drivers(tokens, rated, dict(zip(RATED, self._model.number_shares().tolist(), strict=True)))
        drivers += [Moved(name=f"learned: {word}", weight=share, words=frozenset((word,))) for word, share in scored.shares.items()]
        return Judged(
            p=p,
            label=_largest(weighed),
            llr_negative=scored.negative - math.log(negative / neutral),
            llr_positive=scored.positive - math.log(positive / neutral),
            causes=scored.causes,
            drivers=tuple(drivers),
            signals=signals,
        )

    def _rated_drivers(self, tokens: Sequence[str], rated: Rated, shares: Mapping[str, float]) -> list[Moved]:
        """What the overlay's entries and VADER's words added to positive over negative, by what 1 of each number adds (`shares`)."""
        drivers = []
        total = rated.acted.negative + rated.acted.positive
        # The squashed sum is shared out by weight: its derivative at 0 would be 1 / sqrt(15), here it is the chord.
        squashed = rated.acted.score / total if total else 0.0
        for entry in rated.acted.entries:
            side = "negative" if entry.weight < 0 else "positive"
            share = shares[side] * entry.weight / 4 + shares["score"] * squashed * entry.weight + shares.get(entry.category, 0.0)
            drivers.append(Moved(name=entry.name, weight=share))
        left = self._vader.rated(tokens, rated.acted.masked)
        whole = sum(abs(rating) for _, rating in left)
        for word, rating in left:
            side = "vader_negative" if rated.compound < 0 else "vader_positive"
            drivers.append(
                Moved(name=f"vader: {word}", weight=shares[side] * abs(rated.compound) * rating / whole, words=frozenset((word,)))
            )
        return drivers


def _judged_alone(rated: Rated, signals: tuple[str, ...], drivers: list[Moved]) -> Judged:
    """Without a learned model."""
    acted, compound = rated.acted, rated.compound
    features = (acted.negative / 4, acted.positive / 4, acted.score, max(compound, 0.0), min(compound, 0.0), 1.0)
    negative = sum(weight * x for weight, x in zip(_ALONE_NEGATIVE, features, strict=True))
    positive = sum(weight * x for weight, x in zip(_ALONE_POSITIVE, features, strict=True))
    p = softmax({Polarity.NEGATIVE: negative, Polarity.NEUTRAL: 0.0, Polarity.POSITIVE: positive})
    return Judged(
        p=p, label=_largest(p), llr_negative=negative, llr_positive=positive, causes=None, drivers=tuple(drivers), signals=signals
    )


def _largest(p: Mapping[Polarity, float]) -> Polarity:
    """The likeliest; a tie goes to neutral, then to negative."""
    return max((Polarity.NEUTRAL, Polarity.NEGATIVE, Polarity.POSITIVE), key=lambda polarity: p[polarity])


def softmax(scores: Mapping[Polarity, float]) -> dict[Polarity, float]:
    """Probabilities of the log-odds `scores`, sum 1."""
    top = max(scores.values())
    powers = {polarity: math.exp(score - top) for polarity, score in scores.items()}
    whole = sum(powers.values())
    return {polarity: power / whole for polarity, power in powers.items()}


def by_code(causes: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    """The learned model's causes added up by the taxonomy's codes; `names` maps a cause to its code, others are left out."""
    codes: dict[str, float] = {}
    for cause, p in causes.items():
        if cause in names:
            codes[names[cause]] = codes.get(names[cause], 0.0) + p
    return codes
