"""What a bundle of fusion weights holds: weights and strictness of alerts that were fitted to a site's own calls."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from edge.bundle.manifest import MANIFEST, Bundle
from edge.errors import Key, ModelError
from edge.values import Branch

# More than twice the weight of independent evidence (1): the branch is calibrated wrongly.
_Weight = Annotated[float, msgspec.Meta(ge=0, le=2)]
# How much of what is left above each alert threshold is taken away (below 0: added): at most half of it.
_Strictness = Annotated[float, msgspec.Meta(ge=-0.5, le=0.5)]


class Fitted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fusion manifest's `calibration`: weights and strictness of alerts, fitted on a site's own calls, and on how many."""

    voice: _Weight
    words: _Weight
    utterances: int
    calls: int
    negatives: int
    strictness: _Strictness = 0.0

    @property
    def weights(self) -> Mapping[Branch, float]:
        """By branch."""
        return {Branch.VOICE: self.voice, Branch.WORDS: self.words}


def fitted_of(bundle: Bundle) -> Fitted:
    """What was fitted. Raises ModelError."""
    try:
        return msgspec.convert(bundle.manifest.calibration, Fitted)
    except msgspec.ValidationError as error:
        made_by = "make it with `undertone-convert calibrate`"
        raise ModelError(str(error), path=bundle.folder / MANIFEST, where=Key("calibration"), remedy=made_by) from error
