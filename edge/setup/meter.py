"""A line's level while somebody speaks on it, for a technician who wonders whether the tap is wired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge.config import LineConfig
from edge.doctor.audio import open_once
from edge.errors import Problem, SourceError
from edge.segment.common_sound import carries_the_same
from edge.service.levels import level
from edge.signal.resample import frames
from edge.values import FRAME_MS, Pcm

# What an eye takes for now.
_WINDOW = 200 // FRAME_MS
# Enough for both to have said something; who is heard on which channel is judged on the end of it.
_KEPT_FRAMES = 10_000 // FRAME_MS
_SECOND = 1000 // FRAME_MS
_LOWEST_DBFS, _CELLS = -70.0, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The loudest 0.2 s of each channel in dBFS (None: nothing but zeros), whether both carry the same, and what went wrong."""

    loudest: tuple[float | None, ...]
    same: bool
    problem: Problem | None


def meter(line: LineConfig, *, over: Callable[[], bool], draw: Callable[[Sequence[float | None]], None], seconds: float) -> Heard:
    """Hear `line` until `over`, or for so long; `draw` gets each channel's level five times a second."""
    kept: list[Pcm] = []
    loudest: list[float | None] = [None] * len(line.channels)
    source, trouble = open_once(line)
    try:
        for number, frame in enumerate(frames(source.blocks())):
            if over() or number * FRAME_MS >= seconds * 1000:
                break
            if frame.lost:
                continue
            kept = [*kept[-_KEPT_FRAMES + 1 :], frame.pcm]
            if number % _WINDOW == _WINDOW - 1:
                now = [dbfs(channel) for channel in np.concatenate(kept[-_WINDOW:], axis=1)]
                loudest = [max((one for one in pair if one is not None), default=None) for pair in zip(loudest, now, strict=True)]
                draw(now)
    except SourceError as error:
        trouble.append(error.problem)
    finally:
        source.close()
    return Heard(loudest=tuple(loudest), same=len(line.channels) > 1 and _same(kept), problem=trouble[0] if trouble else None)


def _same(kept: Sequence[Pcm]) -> bool:
    """Whether the loudest second is the same on both channels: in a pause nothing can be told."""
    seconds = [np.concatenate(kept[start : start + _SECOND], axis=1) for start in range(0, len(kept) - _SECOND + 1, _SECOND)]
    return bool(seconds) and carries_the_same(max(seconds, key=lambda pcm: float(np.mean(pcm.astype(np.float64) ** 2))))


def dbfs(pcm: Pcm) -> float | None:
    """The level of a stretch of a channel; None for digital silence."""
    found = level(pcm)
    return None if found.silent else max(found.rms_dbfs, -99.0)


def bar(loud: float | None, *, plain: bool) -> str:
    """A level as cells and a figure, always as wide."""
    share = 0.0 if loud is None else min(1.0, max(0.0, 1 - loud / _LOWEST_DBFS))
    full, empty = ("#", ".") if plain else ("█", "░")
    cells = round(share * _CELLS)
    return f"{full * cells}{empty * (_CELLS - cells)} {'silent' if loud is None else f'{loud:4.0f}'.rjust(6)} dBFS"
