"""What nets the voice model is made of: known without TensorFlow, which takes seconds to load."""

from dataclasses import dataclass

from edge.signal.features import LEVEL, PITCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One net of the three that vote. `planes` are those that it hears, `widths` the output channels of its stem and its three blocks.

    `place`: it knows in which bands something happened; without, it knows only that it did.
    """

    name: str
    planes: slice
    widths: tuple[int, int, int, int]
    place: bool


# They hear different things and so err differently; their mean errs less than any (measured; Hansen and Salamon 1990).
MEMBERS = (
    Member(name="levels_and_pitch", planes=slice(LEVEL, PITCH + 1), widths=(14, 24, 38, 54), place=True),
    Member(name="levels", planes=slice(LEVEL, LEVEL + 1), widths=(14, 24, 38, 54), place=False),
    Member(name="pitch", planes=slice(PITCH, PITCH + 1), widths=(10, 18, 28, 40), place=False),
)
