"""Fusion weights and alert thresholds that were fitted on a site's own calls, as a bundle of kind `fusion` carries them."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from edge.bundle.manifest import MANIFEST, Bundle
from edge.errors import ModelError

# A branch that deserves more than twice the weight of independent evidence (1) is calibrated wrongly.
Weight = Annotated[float, msgspec.Meta(ge=0, le=2)]
# How much of what is left above each alert threshold is taken away (below 0: added). Half of it is as far as labels may go.
Strictness = Annotated[float, msgspec.Meta(ge=-0.5, le=0.5)]


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fusion manifest's `calibration`: the weights, how strict alerts are, and on what both were fitted."""

    voice: Weight
    words: Weight
    utterances: int
    calls: int
    negatives: int
    strictness: Strictness = 0.0

    @property
    def weights(self) -> Mapping[str, float]:
        """By branch."""
        return {"voice": self.voice, "words": self.words}


def fitted_of(bundle: Bundle) -> Fitted:
    """What was fitted. Raises ModelError."""
    try:
        return msgspec.convert(bundle.manifest.calibration, Fitted)
    except msgspec.ValidationError as error:
        raise ModelError(f"{bundle.folder / MANIFEST}: key 'calibration': {error}; make it with `undertone-convert calibrate`") from error
