"""Overlay, VADER and the learned model joined in log-odds against neutral.

Without a model the weights below stand in: fitted by logistic regression, classes weighted alike, on the hand-written sentences of
tests/words/service-dev.yaml.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge.bundle.signature import Trust
from edge.phrases.lexicon import Entry, Lexicon
from edge.values import Polarity, Signal
from edge.words.model import WordsModel
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
# The driver that is no word: what the net makes of the sentence, its words in their order.
WHOLE = "learned: the sentence as a whole"
# A learned model cannot have learnt a site's own entries: each point of theirs counts so much log-odds besides. At -3 a sentence that says
# nothing else is judged negative.
_OWN = 1.2
# And so does a threat in plain words ("see you in court", "taking it to the ombudsman"): whoever threatens us lets be known that they are
# unhappy, however calmly, and an alert hangs on it. Weaker entries of the category (a lawyer, to cancel) may be the matter.
_PLAIN_THREAT = -2.6
# Less than this much log-odds moved nothing.
_DRIVER_FLOOR = 0.05


class Moved(NamedTuple):
    """Something that moved the judgement, in log-odds of positive over negative; `word` is the spoken word that it shows, if any."""

    name: str
    weight: float
    word: str | None = None


# Negative, neutral, positive on calls, the verdict's own prior: taken out of the evidence, and what is said of words that say nothing.
# Taking out the tweets' 63 % of complaints instead made plain anger count for nothing on calls: fused macro-F1 on
# service-dev.yaml 0.872 (equal shares 0.925, this 0.954). Chosen there; probabilities and labels are not touched by it.
CALLS = (0.25, 0.5, 0.25)
_CALLS_LOG_ODDS = math.log(CALLS[0] / CALLS[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One sentence judged. `p` (negative, neutral, positive) sums to 1 and holds the prior; the log-odds against neutral do not.

    `causes`: the learned model's causes -> probability. `matter`: its probability that something which went wrong is told; None unknown.
    """

    p: tuple[float, float, float]
    label: Polarity
    llr_negative: float
    llr_positive: float
    causes: Mapping[str, float] | None
    drivers: tuple[Moved, ...]
    signals: tuple[Signal, ...]
    matter: float | None = None


class Judge:
    """Lexicon, VADER and, where there is one, the learned model. Immutable after `load`; safe from any thread."""

    def __init__(self, lexicon: Lexicon, vader: Vader, model: WordsModel | None = None) -> None:
        self.lexicon = lexicon
        self._vader, self._model = vader, model
        # Worked out once: what 1 of each number adds to positive over negative.
        self._shares = _ALONE_SHARES if model is None else dict(zip(RATED, model.number_shares().tolist(), strict=True))

    @classmethod
    def load(cls, bundle: Path | None, lexicon: Lexicon, *, trust: Trust | None = None) -> "Judge":
        """With the learned model in the folder `bundle`, if given. Raises ModelError."""
        return cls(lexicon, Vader(), WordsModel.load(bundle, trust=trust) if bundle is not None else None)

    @property
    def label(self) -> str | None:
        """Name and version of the learned model; None without one."""
        return None if self._model is None else self._model.label

    @property
    def language(self) -> str:
        """What the learned model knows, ISO 639; the overlay and VADER alone know English."""
        return "en" if self._model is None else self._model.language

    def agent_odds(self, tokens: Sequence[str]) -> float | None:
        """Log-odds, by the words alone, that an agent says lower-case `tokens`; None where no model knows."""
        speaker = None if self._model is None else self._model.speaker
        return None if speaker is None else speaker.log_odds(tokens, script=self.lexicon.script_share(tokens))

    def read(self, tokens: Sequence[str]) -> Judged:
        """The judgement on lower-case `tokens` from which agent phrases have been taken out."""
        rated = rate(tokens, self.lexicon, self._vader)
        drivers = self._rated_drivers(tokens, rated)
        if self._model is None:
            return _judged_alone(rated, drivers)
        scored = self._model.score(tokens, rated.numbers)
        known = self._model.calibration
        worse, better = self._own(rated)
        negative, positive = scored.negative + worse, scored.positive + better
        p = softmax(negative, positive)
        drivers += [Moved(f"learned: {word}", share, word) for word, share in scored.shares.items() if abs(share) >= _DRIVER_FLOOR]
        if abs(scored.whole) >= _DRIVER_FLOOR:
            drivers.append(Moved(WHOLE, scored.whole))
        return Judged(
            p=p,
            label=_largest([one * factor for one, factor in zip(p, known.decision, strict=True)]),
            llr_negative=negative - _CALLS_LOG_ODDS,
            llr_positive=positive - _CALLS_LOG_ODDS,
            causes=scored.causes,
            drivers=tuple(drivers),
            signals=rated.acted.signals,
            matter=scored.matter,
        )

    def _by_itself(self, entry: Entry) -> bool:
        return entry.name in self.lexicon.own or (entry.category == Signal.THREAT and entry.weight <= _PLAIN_THREAT)

    def _own(self, rated: Rated) -> tuple[float, float]:
        """What entries that count by themselves add to negative and to positive against neutral, beside a learned model."""
        weights = [entry.weight for entry in rated.acted.entries if self._by_itself(entry)]
        return _OWN * -sum(weight for weight in weights if weight < 0), _OWN * sum(weight for weight in weights if weight > 0)

    def _rated_drivers(self, tokens: Sequence[str], rated: Rated) -> list[Moved]:
        """What the overlay's entries and VADER's words added to positive over negative."""
        drivers, shares = [], self._shares
        total = rated.acted.negative + rated.acted.positive
        # The squashed sum is shared out by weight: its derivative at 0 would be 1 / sqrt(15), here it is the chord.
        squashed = rated.acted.score / total if total else 0.0
        for entry in rated.acted.entries:
            side = "negative" if entry.weight < 0 else "positive"
            share = shares[side] * entry.weight / 4 + shares["score"] * squashed * entry.weight + shares.get(entry.category, 0.0)
            if self._model is not None and self._by_itself(entry):
                share += _OWN * entry.weight
            drivers.append(Moved(entry.name, share))
        if rated.compound:
            left = self._vader.rated(tokens, rated.acted.masked)
            share = shares["vader_negative" if rated.compound < 0 else "vader_positive"] * abs(rated.compound)
            share /= sum(abs(rating) for _, rating in left)
            drivers += [Moved(f"vader: {word}", share * rating, word) for word, rating in left]
        return [driver for driver in drivers if abs(driver.weight) >= _DRIVER_FLOOR]


def _judged_alone(rated: Rated, drivers: list[Moved]) -> Judged:
    """Without a learned model."""
    acted, compound = rated.acted, rated.compound
    features = (acted.negative / 4, acted.positive / 4, acted.score, max(compound, 0.0), min(compound, 0.0), 1.0)
    negative = sum(weight * x for weight, x in zip(_ALONE_NEGATIVE, features, strict=True))
    positive = sum(weight * x for weight, x in zip(_ALONE_POSITIVE, features, strict=True))
    p = softmax(negative, positive)
    return Judged(
        p=p,
        label=_largest(p),
        llr_negative=negative,
        llr_positive=positive,
        causes=None,
        drivers=tuple(drivers),
        signals=acted.signals,
    )


def _largest(p: Sequence[float]) -> Polarity:
    """The likeliest of (negative, neutral, positive); a tie goes to neutral, then to negative."""
    negative, neutral, positive = p
    if neutral >= negative and neutral >= positive:
        return Polarity.NEUTRAL
    return Polarity.NEGATIVE if negative >= positive else Polarity.POSITIVE


def softmax(negative: float, positive: float) -> tuple[float, float, float]:
    """Probabilities of negative, neutral, positive, sum 1, of log-odds against neutral."""
    top = max(negative, 0.0, positive)
    powers = math.exp(negative - top), math.exp(-top), math.exp(positive - top)
    whole = sum(powers)
    return powers[0] / whole, powers[1] / whole, powers[2] / whole


def by_code(causes: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    """The learned model's causes added up by the taxonomy's codes; `names` maps a cause to its code, others are left out."""
    codes: dict[str, float] = {}
    for cause, p in causes.items():
        if cause in names:
            codes[names[cause]] = codes.get(names[cause], 0.0) + p
    return codes
