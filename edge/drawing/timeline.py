"""A call's timeline as SVG, for the report and for the desk: channels, utterances, overlap, polarity tracks, the score, alert marks.

Readable without colour: each track has its own marker shape, overlap is hatched, alerts are numbered flags. Colours are the page's, by
classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LEFT, _RIGHT = 1120, 92, 16
_LANE, _TRACK, _GAP, _TOP = 74, 84, 14, 66
# At most about a dozen labels on the time axis.
_TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600)
_MOST_TICKS = 13
# A label whose middle is nearer than this to the picture's edge is anchored inwards.
_FLAG_EDGE = 150
# Flags of reasons that are found close together stand over one another.
_FLAG_ROWS, _FLAG_ROW = 3, 16
# Shorter is a listener's "mhm", not a clash.
_LEAST_OVERLAP_MS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One utterance: who (`lane` of the timeline) and when, its polarities (-1..1, None: no reading) and the call's mean after it.

    `overlap_ms`: for how long another spoke meanwhile. `certain`: whether there was evidence enough for a label.
    """

    n: int
    lane: int
    start_ms: int
    end_ms: int
    overlap_ms: int
    voice: float | None
    words: float | None
    fused: float | None
    certain: bool
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A call as it is drawn: the roles of its lanes, what was spoken, and when which rule held (`reasons`: offset_ms and name)."""

    duration_ms: int
    lanes: Sequence[str]
    spoken: Sequence[Spoken]
    reasons: Sequence[tuple[int, str]]


class _Scale:
    def __init__(self, duration_ms: int) -> None:
        self.duration_ms = duration_ms

    def x(self, ms: float) -> float:
        """Horizontal place of `ms` into the call."""
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * min(ms, self.duration_ms) / self.duration_ms, 1)


def draw(call: Timeline, envelopes: Sequence[Sequence[float]] | None = None) -> str:
    """The timeline of `call`. `envelopes`: peak level 0..1 per lane, evenly spaced from call start to end; None without sound."""
    scale = _Scale(call.duration_ms)
    parts: list[str] = []
    y = _TOP
    for lane, role in enumerate(call.lanes):
        envelope = envelopes[lane] if envelopes and lane < len(envelopes) else None
        parts += _lane(call, lane, role, envelope, y, scale)
        y += _LANE + _GAP
    lanes_end = y - _GAP
    for name, values in (
        ("voice", [(u, u.voice) for u in call.spoken]),
        ("words", [(u, u.words) for u in call.spoken]),
        ("fused", [(u, u.fused) for u in call.spoken]),
    ):
        parts += _track(name, [(u, v) for u, v in values if v is not None], y, scale, score=call if name == "fused" else None)
        y += _TRACK + _GAP
    bottom = y - _GAP
    parts += _overlaps(call, scale, lanes_end)
    parts += _alerts(call, scale, bottom)
    parts += _axis(scale, bottom)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {bottom + 30}" role="img" aria-label="Timeline of the call">'
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<line x1="0" y1="0" x2="0" y2="6" class="hatch"/></pattern></defs>' + "".join(parts) + "</svg>"
    )


def _lane(call: Timeline, lane: int, role: str, envelope: Sequence[float] | None, y: int, scale: _Scale) -> Iterator[str]:
    middle = y + _LANE / 2
    yield f'<text x="8" y="{middle + 4}" class="label">{escape(role)}</text>'
    yield f'<line x1="{_LEFT}" y1="{middle}" x2="{_WIDTH - _RIGHT}" y2="{middle}" class="grid"/>'
    for u in call.spoken:
        if u.lane != lane:
            continue
        left, right = scale.x(u.start_ms), scale.x(u.end_ms)
        yield (
            f'<rect x="{left}" y="{y}" width="{max(right - left, 1):.1f}" height="{_LANE}" rx="3" class="utterance {escape(role)}">'
            f"<title>utterance {u.n}: {u.start_ms / 1000:.1f} to {u.end_ms / 1000:.1f} s</title></rect>"
            f'<text x="{left + 3}" y="{y + 11}" class="tiny">{u.n}</text>'
        )
    if envelope:
        step = call.duration_ms / len(envelope)
        up = " ".join(f"{scale.x(i * step)},{middle - v * _LANE / 2:.1f}" for i, v in enumerate(envelope))
        down = " ".join(f"{scale.x(i * step)},{middle + envelope[i] * _LANE / 2:.1f}" for i in range(len(envelope) - 1, -1, -1))
        yield f'<polygon points="{up} {down}" class="wave"/>'


def _track(name: str, values: list[tuple[Spoken, float]], y: int, scale: _Scale, *, score: Timeline | None) -> Iterator[str]:
    middle = y + _TRACK / 2

    def height(polarity: float) -> float:
        return round(middle - polarity * (_TRACK / 2 - 6), 1)

    yield f'<rect x="{_LEFT}" y="{y}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_TRACK}" class="track"/>'
    yield f'<text x="8" y="{middle - 4}" class="label">{name}</text><text x="8" y="{middle + 11}" class="tiny">polarity</text>'
    for mark, at in (("+1", 1.0), ("0", 0.0), ("\N{MINUS SIGN}1", -1.0)):
        yield f'<text x="{_LEFT - 5}" y="{height(at) + 4}" class="tiny end">{mark}</text>'
    yield f'<line x1="{_LEFT}" y1="{middle}" x2="{_WIDTH - _RIGHT}" y2="{middle}" class="grid"/>'
    if not values:
        yield f'<text x="{_LEFT + 10}" y="{middle - 5}" class="tiny">no reading</text>'
    for u, polarity in values:
        x, top = scale.x((u.start_ms + u.end_ms) / 2), height(polarity)
        yield f'<line x1="{x}" y1="{middle}" x2="{x}" y2="{top}" class="stem {name}"/>{_marker(name, x, top, u, polarity)}'
    if score:
        points = [(scale.x(u.end_ms), height(u.mean)) for u in score.spoken if u.mean is not None]
        if points:
            yield f'<polyline points="{" ".join(f"{x},{v}" for x, v in points)}" class="score"/>'
            yield f'<text x="{points[-1][0] - 4}" y="{points[-1][1] - 6}" class="tiny end">mean so far</text>'


def _marker(name: str, x: float, y: float, u: Spoken, polarity: float) -> str:
    """A circle for voice, a square for words, a diamond for fused; hollow where the verdict was uncertain."""
    weak = " weak" if name == "fused" and not u.certain else ""
    title = f"<title>utterance {u.n}: {name} {polarity:+.2f}</title>"
    if name == "voice":
        return f'<circle cx="{x}" cy="{y}" r="5" class="mark voice">{title}</circle>'
    if name == "words":
        return f'<rect x="{x - 4.5}" y="{y - 4.5}" width="9" height="9" class="mark words">{title}</rect>'
    return f'<path d="M{x} {y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z" class="mark fused{weak}">{title}</path>'


def _overlaps(call: Timeline, scale: _Scale, bottom: int) -> Iterator[str]:
    """Stretches where both speak at once, hatched over both lanes; hangovers and pre-rolls that touch are none."""
    spoken = sorted((u.start_ms, u.end_ms, u.lane, u.overlap_ms) for u in call.spoken)
    for i, (start, end, lane, overlap) in enumerate(spoken):
        for other_start, other_end, other, other_overlap in spoken[i + 1 :]:
            if other_start >= end:
                break
            if other != lane and max(overlap, other_overlap) >= _LEAST_OVERLAP_MS:
                left, right = scale.x(max(start, other_start)), scale.x(min(end, other_end))
                box = f'x="{left}" y="{_TOP}" width="{max(right - left, 1):.1f}" height="{bottom - _TOP}"'
                yield f'<rect {box} class="overlap" fill="url(#hatch)"/>'


def _alerts(call: Timeline, scale: _Scale, bottom: int) -> Iterator[str]:
    free_from = [0.0] * _FLAG_ROWS
    for number, (offset_ms, name) in enumerate(call.reasons, start=1):
        x = scale.x(offset_ms)
        side = "end" if x > _WIDTH - _FLAG_EDGE else ""
        # The first row whose last label ends before this one begins.
        row = next((r for r, free in enumerate(free_from) if x >= free), _FLAG_ROWS - 1)
        free_from[row] = x + _FLAG_EDGE
        y = _TOP - 12 - row * _FLAG_ROW
        yield (
            f'<line x1="{x}" y1="{y}" x2="{x}" y2="{bottom}" class="alert"/>'
            f'<path d="M{x} {y}l7 -11l-14 0z" class="flag"/>'
            f'<text x="{x + (-10 if side else 10)}" y="{y - 1}" class="tiny strong {side}">{number} {escape(name)}</text>'
        )


def _axis(scale: _Scale, y: int) -> Iterator[str]:
    seconds = scale.duration_ms / 1000
    longest = _TICKS_S[-1]
    # A call of hours, or what claims to be one: still about a dozen.
    step = next((s for s in _TICKS_S if seconds / s <= _MOST_TICKS), longest * -(-int(seconds) // (longest * _MOST_TICKS)))
    for second in range(0, int(seconds) + 1, step):
        x = scale.x(second * 1000)
        yield f'<line x1="{x}" y1="{y}" x2="{x}" y2="{y + 5}" class="grid"/>'
        yield f'<text x="{x}" y="{y + 18}" class="tiny middle">{second // 60}:{second % 60:02d}</text>'
