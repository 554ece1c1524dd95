"""The fused result of an utterance, with all that it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.values.codes import Absence, Branch, Mode, NoVerdict, Polarity


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One branch's share of a verdict: E_c += weight * quality * max(llr_c - excess, -llr_clip), as docs/verdict.md says."""

    branch: Branch
    weight: float
    quality: float
    llr_negative: float
    llr_positive: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The fused result, recomputable from itself: softmax over log_prior_c + sum of the parts (neutral's llr is 0).

    `label` and the probabilities are None where there is no evidence; `reason` then says why. `absent` has the branches that took
    part and contributed nothing.
    """

    mode: Mode
    label: Polarity | None
    p_negative: float | None
    p_neutral: float | None
    p_positive: float | None
    polarity: float | None
    log_prior: Mapping[Polarity, float]
    llr_clip: float
    parts: tuple[Part, ...]
    conflict: bool = False
    reason: NoVerdict | None = None
    absent: Mapping[Branch, Absence] = field(default_factory=dict)
