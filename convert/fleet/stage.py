"""Where a box stands in a rollout."""

from edge.values import Code
from edge.wire.codes import ModelAction


class Stage(Code):
    """Where a box stands in a rollout; those that a box tells are the actions of its model events."""

    WAITING = "waiting", "Its turn has not come."
    SENDING = "sending", "Chunks are on their way."
    INSTALLED = ModelAction.INSTALLED.value, "It has it, for its next call."
    PROBATION = ModelAction.PROBATION.value, "It serves, watched beside the old one."
    KEPT = ModelAction.KEPT.value, "It serves for good."
    REFUSED = ModelAction.REFUSED.value, "It was not taken."
    ROLLED_BACK = ModelAction.ROLLED_BACK.value, "The old one serves again."
    SILENT = "silent", "The box said nothing in time."


BAD = frozenset({Stage.REFUSED, Stage.ROLLED_BACK, Stage.SILENT})
# `installed` alone is a moment before it serves.
SERVES: frozenset[Stage] = frozenset({Stage.PROBATION, Stage.KEPT})
