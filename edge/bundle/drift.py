"""How far the answers of a new model may lie from those of the one before it, to the same questions.

Of p_negative: the mean difference of its log-odds, with the standard error of that mean; the population stability index over
five bins (Siddiqi, "Credit Risk Scorecards", 2006, ch. 10); on which side of one half it lies. Of the label: how often another
is named. The limits lie between what models do that were made anew and what those do that were made worse on purpose: figures
in docs/models.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edge.bundle.manifest import Kind

BINS = 5
# Over the usual two, for the mean is looked at again after each utterance.
_ERRORS = 3.0
# Nobody acts on what lies beyond, and there a hair's breadth is many nats.
_SUREST = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a new model may be from the one before it: mean shift (nats) and PSI of p_negative, shares of utterances that differ."""

    shift: float
    psi: float
    other_side: float
    other_label: float

    def on(self, utterances: int) -> "Limits":
        """The same where so few utterances are known: what chance makes of them is allowed on top."""
        # Two samples of n from one distribution have a mean PSI of 8 / n over five bins, and under 19 / n in 19 of 20 cases (chi-square, 4
        # degrees); on the same utterances less. A share has a standard error of at most 0.5 / sqrt(n), and is looked at again and again.
        root = math.sqrt(utterances)
        return Limits(
            shift=self.shift + 5 / utterances,  # its standard error is measured, but not on one or two
            psi=self.psi + 15 / utterances,
            other_side=self.other_side + 0.8 / root,
            other_label=min(self.other_label + 1 / root, 0.95),
        )


# Siddiqi calls a population changed from 0.25 on. Voices that were trained anew differ on at most 12 % of the utterances in their side
# (35 % on Polish alone) and on 25 % in their emotion, one that learnt from shuffled labels on 50 % and 89 % (docs/models.md). Words
# have three labels, not seven.
# Voices that were trained anew shift by 0.2 nats at most (0.4 on one of four corpora alone), words by 0.1; weights that are fitted to a
# site may mean to shift: up to 0.6 in simulated ones.
LIMITS: Mapping[Kind, Limits] = {
    "voice": Limits(shift=0.5, psi=1.0, other_side=0.25, other_label=0.5),
    "words": Limits(shift=0.5, psi=0.25, other_side=0.25, other_label=0.4),
    "fusion": Limits(shift=1.0, psi=0.25, other_side=0.25, other_label=0.4),
}


def shift(new: float, old: float) -> float:
    """How much further the odds of `new` are than those of `old`, in nats."""
    return _log_odds(new) - _log_odds(old)


def stability(counts: tuple[int, ...], expected: tuple[int, ...]) -> float:
    """The population stability index of two histograms: sum of (a - b) ln(a / b) over the bins' shares, 0 for the same.

    Half a count is added to each bin (Jeffreys), so that an empty one is not infinitely far away.
    """
    n = sum(counts) + len(counts) / 2
    m = sum(expected) + len(expected) / 2
    shares = [((a + 0.5) / n, (b + 0.5) / m) for a, b in zip(counts, expected, strict=True)]
    return sum((a - b) * math.log(a / b) for a, b in shares)


def drifted(found: Mapping[str, float], limits: Limits) -> str | None:
    """Where these figures of a probation are past the limits, in one line."""
    if abs(found["shift"]) > (allowed := limits.shift + _ERRORS * found["shift_error"]):
        return f"drift: p_negative lies {found['shift']:+.1f} nats from that of the one before it ({allowed:.1f} is allowed)"
    if found["drift_psi"] > limits.psi:
        return (
            f"drift: p_negative lies elsewhere than that of the one before it (PSI {found['drift_psi']:.2f}, {limits.psi:.2f} is allowed)"
        )
    if found["other_side_share"] > limits.other_side:
        share = found["other_side_share"]
        return f"drift: {share:.0%} of the utterances on the other side of p_negative 0.5 ({limits.other_side:.0%} is allowed)"
    if found["other_label_share"] > limits.other_label:
        return f"drift: {found['other_label_share']:.0%} of the utterances with another label ({limits.other_label:.0%} is allowed)"
    return None


def _log_odds(p: float) -> float:
    held = min(max(p, _SUREST), 1.0 - _SUREST)
    return math.log(held / (1.0 - held))
