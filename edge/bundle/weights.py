"""Fusion weights that were fitted on a site's own calls, as a bundle of kind `fusion` carries them."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from edge.bundle.manifest import MANIFEST, Bundle
from edge.errors import ModelError

# A branch that deserves more than twice the weight of independent evidence (1) is calibrated wrongly.
Weight = Annotated[float, msgspec.Meta(ge=0, le=2)]


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fusion manifest's `calibration`: the weights, and on what they were fitted."""

    voice: Weight
    words: Weight
    utterances: int
    calls: int
    negatives: int


def weights_of(bundle: Bundle) -> Mapping[str, float]:
    """The weight of each branch. Raises ModelError."""
    try:
        fitted = msgspec.convert(bundle.manifest.calibration, Fitted)
    except msgspec.ValidationError as error:
        raise ModelError(f"{bundle.folder / MANIFEST}: key 'calibration': {error}; make it with `undertone-convert calibrate`") from error
    return {"voice": fitted.voice, "words": fitted.words}
