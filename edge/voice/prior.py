"""What calm telephone callers sound like to a voice model, and how far above it displeasure begins: measured, a version at a time."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

_FILE = Path(__file__).with_name("prior.json")
_Positive = Annotated[float, msgspec.Meta(gt=0)]


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where voices lie: robust centre and spread, in nats of log-odds against neutral."""

    centre: float
    spread: _Positive


class Prior(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `model` (name and version) makes of calm callers, before a line has taught better. Nats and seconds.

    `between_calls` is the spread of calls' centres. `short_*`: how much higher an utterance is judged, in nats times its seconds of
    voice (0.5 at 1 s, 1.0 at 0.5 s). At `half_certain_s` of voice a difference is believed by half. `line_counts_for` is how many good
    utterances of the caller's own the line's level weighs as much as, `spread_counts_for` how many its spread does. A difference of
    `threshold_*` is as likely to be displeasure (joy) as calm.
    """

    format: Literal[1] = 1
    model: str
    measured_on: str
    negative: Level
    positive: Level
    between_calls: _Positive
    calls: int
    utterances: int
    short_negative: float
    short_positive: float
    half_certain_s: _Positive
    line_counts_for: _Positive
    spread_counts_for: _Positive
    threshold_negative: float
    threshold_positive: float


@cache
def shipped_prior() -> Prior:
    """The prior of the shipped voice model."""
    return msgspec.json.decode(_FILE.read_bytes(), type=Prior)


def prior_of(model: str) -> Prior:
    """The prior of the voice model `model` (name and version). One that nobody measured has the shipped one's: the recipe is the same."""
    return msgspec.structs.replace(shipped_prior(), model=model)
