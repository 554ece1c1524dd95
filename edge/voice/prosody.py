"""What a whole utterance's statistics say beside the net: a weighted sum of them, added to the net's negative logits."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.signal.features import Features
from edge.signal.prosody import COUNT, statistics
from edge.voice.labels import LABELS, NEGATIVE

_NEGATIVE = np.asarray([label in NEGATIVE for label in LABELS], np.float64)
# A statistic further than this from the training mean, in deviations, says no more: it is a voice or a line unlike all before.
FAR = 4.0

Numbers = Annotated[tuple[float, ...], msgspec.Meta(min_length=COUNT, max_length=COUNT)]
Scale = Annotated[tuple[Annotated[float, msgspec.Meta(gt=0)], ...], msgspec.Meta(min_length=COUNT, max_length=COUNT)]


class Prosody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manifest's `prosody`, fitted by `convert.voice.prosody`.

    Log-odds of negative = offset + sum of weights * (statistics - mean) / scale.
    """

    mean: Numbers
    scale: Scale
    weights: Numbers
    offset: float

    def logits(self, spectrum: Features) -> NDArray[np.float64]:
        """float64 (7,), to be added to the net's: the log-odds of negative on each negative emotion, nothing on the others."""
        away = (statistics(spectrum) - np.asarray(self.mean)) / np.asarray(self.scale)
        return (self.offset + float(np.clip(away, -FAR, FAR) @ np.asarray(self.weights))) * _NEGATIVE
