"""Late fusion of voice and words in calibrated log-odds against neutral.

E_c = log_prior_c + sum over parts of weight * quality * max(llr_c - excess, -llr_clip) for negative and positive, E_neutral = its
log_prior; excess = max(0, llr_negative - llr_clip, llr_positive - llr_clip); p = softmax(E); polarity = p_positive - p_negative.
A branch that is too sure is brought down whole, so that the difference between its classes is kept: a clear "positive" over a
middling "negative" stays clear, and more evidence for a class never helps another. A logarithmic opinion pool (Genest and
Zidek 1986, "Combining probability distributions", section 3.2) with a prior: independent branches would have weight 1.

Every number of the arithmetic is in the verdict, so that a consumer can do it again (docs/verdict.md).
"""

import math
from collections.abc import Mapping

from edge.values import Absence, Absent, Branch, Evidence, Mode, NoVerdict, Part, Polarity, Verdict, VoiceReading, WordsReading
from edge.verdict.quality import usable

# Half of what customers say on service calls is plain fact. Set, not fitted (`validated_on_calls: false`): the evidence comes
# with its training prior taken out, so this is the only prior in the verdict.
LOG_PRIOR: Mapping[Polarity, float] = {
    Polarity.NEGATIVE: round(math.log(0.25), 6),
    Polarity.NEUTRAL: round(math.log(0.5), 6),
    Polarity.POSITIVE: round(math.log(0.25), 6),
}
# No branch may put a class more than 55 to 1 (e^4) above neutral or below it: calibration is not known further out than that.
LLR_CLIP = 4.0
# Under this sum of weight * quality the prior decides and not the evidence: the label is withheld (reason weak_evidence).
MIN_STRENGTH = 0.1
# A branch has a side of its own where one polarity is e times (1 nat) likelier than the other and than neutral; both branches
# must be at least half sure of what they heard to be in conflict.
_CONFLICT_NATS = 1.0
_CONFLICT_QUALITY = 0.5
# Finer than any use, and coarse enough that the sum of rounding stays below the promised 1e-6.
_DECIMALS = 8


# Words were listened for, and there were none, or none that anybody understood: what made the sound may be no adult's speech at all.
_NOT_SPEECH = frozenset({Absence.NO_WORDS, Absence.NOT_UNDERSTOOD})


def fuse(*, mode: Mode, voice: VoiceReading | Absent, words: WordsReading | Absent, weights: Mapping[Branch, float]) -> Verdict:
    """The verdict on one utterance from what its branches say.

    In `both` each branch has its weight of `weights` and an absent one contributes nothing: the other is not made stronger for
    it. A voice whose words were listened for and not understood (laughter, a child, a language that nobody knows here) is no evidence
    either. In `voice` and `words` that branch alone counts, with weight 1. No evidence gives no label and a reason, never neutral.
    """
    if mode is Mode.BOTH and isinstance(words, Absent) and words.reason in _NOT_SPEECH and not isinstance(voice, Absent):
        voice = Absent(reason=words.reason)
    taking_part = {Mode.VOICE: {Branch.VOICE: 1.0}, Mode.WORDS: {Branch.WORDS: 1.0}}.get(mode, dict(weights))
    readings: dict[Branch, VoiceReading | WordsReading | Absent] = {Branch.VOICE: voice, Branch.WORDS: words}
    heard = {branch: usable(reading) for branch, reading in readings.items() if branch in taking_part}
    parts = tuple(_part(branch, taking_part[branch], said) for branch, said in heard.items() if isinstance(said, Evidence))
    absent = {branch: said.reason for branch, said in heard.items() if isinstance(said, Absent)}
    if not parts:
        return _no_evidence(mode, absent)
    p = probabilities(LOG_PRIOR, LLR_CLIP, parts)
    weak = sum(part.weight * part.quality for part in parts) < MIN_STRENGTH
    return Verdict(
        mode=mode,
        label=None if weak else _label(p),
        p_negative=p[Polarity.NEGATIVE],
        p_neutral=p[Polarity.NEUTRAL],
        p_positive=p[Polarity.POSITIVE],
        polarity=round(p[Polarity.POSITIVE] - p[Polarity.NEGATIVE], _DECIMALS),
        log_prior=LOG_PRIOR,
        llr_clip=LLR_CLIP,
        parts=parts,
        conflict=_in_conflict(parts),
        reason=NoVerdict.WEAK_EVIDENCE if weak else None,
        absent=absent,
    )


def probabilities(log_prior: Mapping[Polarity, float], llr_clip: float, parts: tuple[Part, ...]) -> dict[Polarity, float]:
    """The softmax of the module's formula: negative, neutral, positive, each 0..1, sum 1 to 1e-7."""
    total = dict(log_prior)
    for part in parts:
        share = part.weight * part.quality
        negative, positive = clipped(part.llr_negative, part.llr_positive, llr_clip)
        total[Polarity.NEGATIVE] += share * negative
        total[Polarity.POSITIVE] += share * positive
    top = max(total.values())
    powers = {polarity: math.exp(value - top) for polarity, value in total.items()}
    whole = sum(powers.values())
    return {polarity: round(power / whole, _DECIMALS) for polarity, power in powers.items()}


def clipped(llr_negative: float, llr_positive: float, llr_clip: float) -> tuple[float, float]:
    """The branch's log-odds against neutral, each within +-`llr_clip`, brought down together so that their difference is kept."""
    excess = max(llr_negative, llr_positive, llr_clip) - llr_clip
    return max(llr_negative - excess, -llr_clip), max(llr_positive - excess, -llr_clip)


def _part(branch: Branch, weight: float, evidence: Evidence) -> Part:
    return Part(branch=branch, weight=weight, quality=evidence.quality, llr_negative=evidence.negative, llr_positive=evidence.positive)


def _label(p: Mapping[Polarity, float]) -> Polarity:
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


def _no_evidence(mode: Mode, absent: Mapping[Branch, Absence]) -> Verdict:
    """No branch said anything."""
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
        reason=NoVerdict.NO_EVIDENCE,
        absent=absent,
    )
