"""Late fusion of voice and words in calibrated log-odds against neutral.

E_c = log_prior_c + sum over parts of weight * quality * clip(llr_c, -llr_clip, llr_clip), with llr_neutral = 0;
p = softmax(E) over negative, neutral, positive; polarity = p_positive - p_negative. A logarithmic opinion pool (Genest and
Zidek 1986, "Combining probability distributions", section 3.2) with a prior: independent branches would have weight 1.

Every number of the arithmetic is in the verdict, so that a consumer can do it again (docs/verdict.md).
"""

import math
from collections.abc import Mapping

from edge.values import Absent, Evidence, Mode, Part, Polarity, Verdict, VoiceReading, WordsReading
from edge.verdict.quality import usable

# Half of what customers say on service calls is plain fact. Set, not fitted (`validated_on_calls: false`): the evidence comes
# with its training prior taken out, so this is the only prior in the verdict.
LOG_PRIOR: Mapping[str, float] = {
    "negative": round(math.log(0.25), 6),
    "neutral": round(math.log(0.5), 6),
    "positive": round(math.log(0.25), 6),
}
# No branch may claim more than 55 to 1 (e^4) about one utterance: calibration is not known further out than that.
LLR_CLIP = 4.0
# Under this sum of weight * quality the prior decides and not the evidence: the label is withheld (reason weak_evidence).
MIN_STRENGTH = 0.1
# A branch has a side of its own where one polarity is e times (1 nat) likelier than the other and than neutral; both branches
# must be at least half sure of what they heard to be in conflict.
_CONFLICT_NATS = 1.0
_CONFLICT_QUALITY = 0.5
# Finer than any use, and coarse enough that the sum of rounding stays below the promised 1e-6.
_DECIMALS = 8


def fuse(*, mode: Mode, voice: VoiceReading | Absent, words: WordsReading | Absent, weights: Mapping[str, float]) -> Verdict:
    """The verdict on one utterance from what its branches say.

    In `both` each branch has its weight of `weights` and an absent one contributes nothing: the other is not made stronger for
    it. In `voice` and `words` that branch alone counts, with weight 1. No evidence gives no label and a reason, never neutral.
    """
    taking_part = {Mode.VOICE: {"voice": 1.0}, Mode.WORDS: {"words": 1.0}}.get(mode, dict(weights))
    readings: dict[str, VoiceReading | WordsReading | Absent] = {"voice": voice, "words": words}
    heard = {branch: usable(readings[branch]) for branch in ("voice", "words") if branch in taking_part}
    parts = tuple(_part(branch, taking_part[branch], said) for branch, said in heard.items() if isinstance(said, Evidence))
    if not parts:
        return _no_evidence(mode, {branch: said.reason for branch, said in heard.items() if isinstance(said, Absent)})
    p = probabilities(LOG_PRIOR, LLR_CLIP, parts)
    weak = sum(part.weight * part.quality for part in parts) < MIN_STRENGTH
    return Verdict(
        mode=mode,
        label=None if weak else _label(p),
        p_negative=p["negative"],
        p_neutral=p["neutral"],
        p_positive=p["positive"],
        polarity=round(p["positive"] - p["negative"], _DECIMALS),
        log_prior=LOG_PRIOR,
        llr_clip=LLR_CLIP,
        parts=parts,
        conflict=_in_conflict(parts),
        reason="weak_evidence" if weak else None,
    )


def probabilities(log_prior: Mapping[str, float], llr_clip: float, parts: tuple[Part, ...]) -> dict[str, float]:
    """The softmax of the module's formula: negative, neutral, positive, each 0..1, sum 1 to 1e-7."""
    total = dict(log_prior)
    for part in parts:
        share = part.weight * part.quality
        total["negative"] += share * _clip(part.llr_negative, llr_clip)
        total["positive"] += share * _clip(part.llr_positive, llr_clip)
    top = max(total.values())
    powers = {polarity: math.exp(value - top) for polarity, value in total.items()}
    whole = sum(powers.values())
    return {polarity: round(power / whole, _DECIMALS) for polarity, power in powers.items()}


def _part(branch: str, weight: float, evidence: Evidence) -> Part:
    return Part(branch=branch, weight=weight, quality=evidence.quality, llr_negative=evidence.negative, llr_positive=evidence.positive)


def _clip(llr: float, limit: float) -> float:
    return min(limit, max(-limit, llr))


def _label(p: Mapping[str, float]) -> Polarity:
    """The likeliest; a tie goes to neutral, then to negative."""
    return max((Polarity.NEUTRAL, Polarity.NEGATIVE, Polarity.POSITIVE), key=lambda polarity: p[polarity])


def _side(part: Part) -> int:
    """-1 for a branch clearly on the negative side, 1 on the positive, 0 otherwise."""
    if part.quality < _CONFLICT_QUALITY:
        return 0
    if part.llr_negative >= max(part.llr_positive, 0) + _CONFLICT_NATS:
        return -1
    return int(part.llr_positive >= max(part.llr_negative, 0) + _CONFLICT_NATS)


def _in_conflict(parts: tuple[Part, ...]) -> bool:
    return {-1, 1} <= {_side(part) for part in parts}


def _no_evidence(mode: Mode, reasons: Mapping[str, str]) -> Verdict:
    """No branch said anything: the reason names each, `voice:too_short,words:no_words`."""
    return Verdict(
        mode=mode,
        label=None,
        p_negative=None,
        p_neutral=None,
        p_positive=None,
        polarity=None,
        log_prior=LOG_PRIOR,
        llr_clip=LLR_CLIP,
        parts=(),
        reason=",".join(f"{branch}:{reason}" for branch, reason in reasons.items()) or "no_evidence",
    )
