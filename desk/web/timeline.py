"""The call of a case in the report's own drawing, from what the desk keeps of its utterances."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from desk.store.seam import Row
from edge.drawing.timeline import Spoken, Timeline, draw

# An hour has some 600; what draws them compares each with those beside it.
_MOST = 2000
# Who is drawn first.
_ORDER = ("customer", "mixed", "agent")


def timeline(utterances: Sequence[Row], reasons: Sequence[Mapping[str, Any]], length_ms: int) -> Markup:
    """The drawing of `utterances` (rows of the table), `length_ms` long; `reasons` as a case has them."""
    roles = sorted({row["role"] for row in utterances}, key=lambda role: (_ORDER.index(role) if role in _ORDER else len(_ORDER), role))
    call = Timeline(
        duration_ms=length_ms,
        lanes=roles,
        spoken=[_spoken(row, roles.index(row["role"])) for row in utterances[:_MOST]],
        reasons=[(one["offset_ms"], one["rule"] or one["says"] or "") for one in reasons if one["offset_ms"] is not None],
    )
    return Markup(draw(call))  # noqa: S704 (draw escapes)


def _spoken(row: Row, lane: int) -> Spoken:
    return Spoken(
        n=row["n"], lane=lane, start_ms=row["start_ms"], end_ms=row["end_ms"], overlap_ms=row["overlap_ms"] or 0,
        voice=_inside(row["voice"]), words=_inside(row["words"]), fused=_inside(row["polarity"]), certain=row["label"] is not None,
        mean=_inside(row["mean"]),
    )  # fmt: skip


def _inside(polarity: float | None) -> float | None:
    """A box that tells nonsense draws nothing outside its track."""
    return None if polarity is None else min(1.0, max(-1.0, polarity))
