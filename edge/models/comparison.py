"""A new model's answers beside those of the one before it, to the same questions: what is counted, and how its probation ends.

Of p_negative: the mean difference of its log-odds, with the standard error of that mean; the population stability index over
five bins (Siddiqi, "Credit Risk Scorecards", 2006, ch. 10); on which side of one half it lies. Of the label: how often another
is named. The limits lie between what models do that were made anew and what those do that were made worse on purpose: figures
in docs/models.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from edge.call.trial import Answer
from edge.config import ModelsConfig
from edge.wire.codes import ModelAction

BINS = 5
# Over the usual two, for the mean is looked at again after each utterance.
_ERRORS = 3.0
# Nobody acts on what lies beyond, and there a hair's breadth is many nats.
_SUREST = 0.001
# Two power cuts or two updates of the box in the same days must not condemn a model; a third death is no chance.
DEATHS = 3
# 30 utterances are two or three calls; under it one odd caller is a third of the figures.
ENOUGH = 30
# A model of four times the size may be meant (golden vectors bound what a box can bear); five times is a defect.
SLOWER = 5.0
# Both models leave out what is too short or too quiet by the same rule, so any difference is the new one's doing.
SILENT = 0.1


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


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known so far. `candidate` and `previous` are folder names in the store (None: the shipped bundle).

    `transfer`: sha256 of the file that came over the bus. `running`: the service is up now, so that a start that finds it
    true follows a death. `verdict` is set before it is carried out.
    """

    candidate: str
    previous: str | None
    version: str
    previous_version: str | None
    since: float
    transfer: str | None = None
    running: bool = False
    deaths: int = 0
    calls: int = 0
    compared: int = 0
    failure: str | None = None
    absent: int = 0
    shadow_absent: int = 0
    bins: tuple[int, ...] = (0,) * BINS
    shadow_bins: tuple[int, ...] = (0,) * BINS
    other_label: int = 0
    other_side: int = 0
    shift_sum: float = 0.0
    shift_squares: float = 0.0
    verdict: ModelAction | None = None
    reason: str | None = None

    @property
    def read_by_both(self) -> int:
        """Utterances that both models read."""
        return sum(self.bins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How probation ends, and why in one line."""

    action: ModelAction
    reason: str


def compare(record: Record, new: Answer | None, shadow: Answer | None) -> Record:
    """`record` with one more utterance that both have been asked about; None abstained."""
    change = msgspec.structs.replace(
        record,
        compared=record.compared + 1,
        absent=record.absent + (new is None),
        shadow_absent=record.shadow_absent + (shadow is None),
    )
    if new is None or shadow is None:
        return change
    moved = shift(new.p_negative, shadow.p_negative)
    return msgspec.structs.replace(
        change,
        shift_sum=record.shift_sum + moved,
        shift_squares=record.shift_squares + moved * moved,
        bins=_counted(record.bins, new.p_negative),
        shadow_bins=_counted(record.shadow_bins, shadow.p_negative),
        other_label=record.other_label + (new.label != shadow.label),
        other_side=record.other_side + ((new.p_negative > 0.5) != (shadow.p_negative > 0.5)),  # noqa: PLR2004 (even odds)
    )


def judge(
    record: Record, config: ModelsConfig, limits: Limits | None, *, now: float, cost_ms: float | None = None, shadow_ms: float | None = None
) -> Verdict | None:
    """How it ends, if it does. `cost_ms`, `shadow_ms`: processor time of both, a window or a question. `now` is the wall clock."""
    if record.failure is not None:
        return Verdict(action=ModelAction.ROLLED_BACK, reason=record.failure)
    if record.deaths >= DEATHS:
        return Verdict(action=ModelAction.ROLLED_BACK, reason=f"the service died {record.deaths} times while it was on probation")
    if limits is not None and record.compared >= ENOUGH:
        allowed = limits.on(max(record.read_by_both, 1))
        if bad := _wrong(figures(record, cost_ms=cost_ms, shadow_ms=shadow_ms), allowed):
            return Verdict(action=ModelAction.ROLLED_BACK, reason=bad)
    long_enough = record.calls >= config.probation_calls or now - record.since >= config.probation_hours * 3600
    if long_enough and record.compared >= ENOUGH:
        return Verdict(
            action=ModelAction.KEPT, reason=f"as good as the one before it on {record.compared} utterances of {record.calls} calls"
        )
    return None


def figures(record: Record, *, cost_ms: float | None = None, shadow_ms: float | None = None) -> dict[str, float]:
    """What was measured so far, as the bus is told it."""
    compared, both = max(record.compared, 1), max(record.read_by_both, 1)
    mean = record.shift_sum / both
    variance = max(record.shift_squares / both - mean * mean, 0.0)
    found = {
        "calls": float(record.calls),
        "utterances": float(record.compared),
        "deaths": float(record.deaths),
        "absent_share": record.absent / compared,
        "shadow_absent_share": record.shadow_absent / compared,
        "shift": mean,
        "shift_error": math.sqrt(variance / max(both - 1, 1)),
        "drift_psi": stability(record.bins, record.shadow_bins),
        "other_side_share": record.other_side / both,
        "other_label_share": record.other_label / both,
    }
    if cost_ms is not None and shadow_ms is not None:
        found |= {"cost_ms": cost_ms, "shadow_cost_ms": shadow_ms}
    return {name: round(value, 4) for name, value in found.items()}


def _wrong(found: Mapping[str, float], limits: Limits) -> str | None:
    """What is wrong with these figures, in one line."""
    if found["absent_share"] - found["shadow_absent_share"] > SILENT:
        return f"silent: it abstains on {found['absent_share']:.0%} of the utterances, its shadow on {found['shadow_absent_share']:.0%}"
    if "cost_ms" in found and found["cost_ms"] > SLOWER * found["shadow_cost_ms"]:
        return f"slow: {found['cost_ms']:.2f} ms, the one before it {found['shadow_cost_ms']:.2f} ms of processor time"
    return drifted(found, limits)


def _counted(bins: tuple[int, ...], p: float) -> tuple[int, ...]:
    place = min(int(p * BINS), BINS - 1)
    return tuple(count + (number == place) for number, count in enumerate(bins))


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
