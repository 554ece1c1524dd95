"""Which readings are good enough to be fused: the gates in front of the arithmetic."""

import math

from edge.values import Absence, Absent, Evidence, VoiceReading, WordsReading

# Below this a branch's own quality says "I could hardly hear": it is left out and named, not multiplied by almost nothing.
MIN_QUALITY = 0.05
# Parts travel in the event as JSON; four decimals are finer than any branch can know and keep the arithmetic short to check.
_DECIMALS = 4


def usable(reading: VoiceReading | WordsReading | Absent) -> Evidence | Absent:
    """The evidence of `reading`, rounded to what the event will carry; or Absent with the reason why it cannot be used.

    Reasons of our own: poor_quality (below MIN_QUALITY), failed (a number that is not one).
    """
    if isinstance(reading, Absent):
        return reading
    evidence = reading.evidence
    if not all(math.isfinite(number) for number in (evidence.negative, evidence.positive, evidence.quality)):
        return Absent(reason=Absence.FAILED)
    quality = min(1.0, max(0.0, evidence.quality))
    if quality < MIN_QUALITY:
        return Absent(reason=Absence.POOR_QUALITY)
    return Evidence(
        negative=round(evidence.negative, _DECIMALS),
        positive=round(evidence.positive, _DECIMALS),
        quality=round(quality, _DECIMALS),
    )
