"""Charts of an evaluation as inline SVG: confusion, reliability, risk against coverage, and bars of figures with intervals."""

from collections.abc import Sequence
from html import escape

from convert.evaluation.score import Figures, Range

_SIZE = 260
_LEFT, _TOP, _BOTTOM = 56, 24, 40


def confusion(found: Figures) -> str:
    """Rows: what it was. Columns: what it was taken for. Shade and number: share of the row in percent."""
    present = [k for k, row in enumerate(found.confusion) if sum(row)]
    cell, left, top = 34, 76, 70
    parts = []
    for y, k in enumerate(present):
        total = sum(found.confusion[k])
        parts.append(f'<text class="tick" x="{left - 6}" y="{top + y * cell + 22}" text-anchor="end">{escape(found.labels[k])}</text>')
        for x, count in enumerate(found.confusion[k]):
            share = count / total
            px, py = left + x * cell, top + y * cell
            ink = "light" if share > 0.5 else "dark"  # noqa: PLR2004 (white on dark cells)
            parts.append(
                f'<rect class="cell" x="{px}" y="{py}" width="{cell - 1}" height="{cell - 1}" fill-opacity="{share:.3f}">'
                f"<title>{escape(found.labels[k])} taken for {escape(found.labels[x])}: {count} of {total}</title></rect>"
            )
            if share >= 0.005:  # noqa: PLR2004 (less rounds to nothing)
                parts.append(f'<text class="{ink}" x="{px + cell / 2:.0f}" y="{py + 22}" text-anchor="middle">{share * 100:.0f}</text>')
    for x, name in enumerate(found.labels):
        px = left + x * cell + cell // 2
        parts.append(f'<text class="tick" transform="translate({px + 4},{top - 6}) rotate(-50)">{escape(name)}</text>')
    return _svg(left + cell * len(found.labels) + 22, top + cell * len(present) + 6, "Confusion matrix", parts)


def reliability(found: Figures) -> str:
    """What was said of negative against how often it was so, before and after calibration; the diagonal is the truth."""
    parts = [*_axes("said: probability of negative", "was negative"), _line([(0, 0), (1, 1)], "ideal")]
    for points, name in ((found.reliability_before, "before"), (found.reliability_after, "after")):
        parts.append(_line([(said, was) for said, was, _ in points], name))
        largest = max((count for _, _, count in points), default=1)
        for said, was, count in points:
            x, y = _place(said, was)
            parts.append(
                f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{2 + 5 * (count / largest) ** 0.5:.1f}">'
                f"<title>{name} calibration: said {said:.2f}, was {was:.2f}, {count} clips</title></circle>"
            )
    parts += _legend([("before", f"before, ECE {found.ece_before:.3f}"), ("after", f"after, ECE {found.ece_after:.3f}")])
    return _svg(_SIZE + _LEFT + 12, _SIZE + _TOP + _BOTTOM, "Reliability", parts)


def risk(found: Figures) -> str:
    """Share of wrong polarities among the clips answered, as less and less confident ones are answered too."""
    top = max(0.1, *(1.1 * wrong for _, wrong in found.risk_coverage)) if found.risk_coverage else 1.0
    parts = _axes("share of clips answered", "wrong among them", top=top)
    parts.append(_line([(coverage, wrong / top) for coverage, wrong in found.risk_coverage], "after"))
    for share in (0.5, 0.8, 1.0):
        near = min(found.risk_coverage, key=lambda point: abs(point[0] - share), default=None)
        if near:
            x, y = _place(near[0], near[1] / top)
            parts.append(f'<circle class="after" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
            parts.append(f'<text class="tick" x="{x - 4:.0f}" y="{y - 9:.0f}" text-anchor="end">{near[1] * 100:.0f} %</text>')
    return _svg(_SIZE + _LEFT + 12, _SIZE + _TOP + _BOTTOM, "Risk against coverage", parts)


def bars(rows: Sequence[tuple[str, Range, str]], chance: float, unit: str) -> str:
    """Horizontal bars 0..1 with 95 % intervals: (name, figure, class); a line marks `chance`."""
    left, width, step = 250, 420, 34
    parts = []
    for number, (name, found, kind) in enumerate(rows):
        y = 26 + number * step
        value = found.value or 0.0
        parts.append(f'<text class="name" x="{left - 10}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar {kind}" x="{left}" y="{y}" width="{value * width:.1f}" height="20" rx="2"/>')
        if found.low is not None and found.high is not None:
            a, b = left + found.low * width, left + found.high * width
            parts.append(f'<path class="whisker" d="M{a:.1f} {y + 10}H{b:.1f}M{a:.1f} {y + 5}v10M{b:.1f} {y + 5}v10"/>')
        end = left + max(value, found.high or 0.0) * width
        parts.append(f'<text class="value" x="{end + 8:.1f}" y="{y + 15}">{value:.3f}</text>')
    bottom = 26 + len(rows) * step
    x = left + chance * width
    parts.append(f'<path class="chance" d="M{x:.1f} 16V{bottom}"/><text class="tick" x="{x + 4:.1f}" y="14">chance</text>')
    parts.append(f'<text class="tick" x="{left}" y="{bottom + 14}">{escape(unit)}; whiskers: 95 % interval</text>')
    return _svg(left + width + 70, bottom + 22, unit, parts)


def _axes(across: str, up: str, top: float = 1.0) -> list[str]:
    parts = []
    for k in range(5):
        x, y = _place(k / 4, k / 4)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{_TOP + _SIZE}M{_LEFT} {y:.1f}H{_LEFT + _SIZE}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_TOP + _SIZE + 14}" text-anchor="middle">{k / 4:.2g}</text>')
        parts.append(f'<text class="tick" x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{k / 4 * top:.2g}</text>')
    middle = _TOP + _SIZE / 2
    parts.append(f'<text class="axis" x="{_LEFT + _SIZE / 2}" y="{_TOP + _SIZE + 32}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text class="axis" transform="translate(12,{middle}) rotate(-90)" text-anchor="middle">{escape(up)}</text>')
    return parts


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    y = _TOP + _SIZE - 14 - 18 * (len(entries) - 1)
    parts = []
    for number, (kind, text) in enumerate(entries):
        at = y + 18 * number
        parts.append(f'<path class="line {kind}" d="M{_LEFT + _SIZE - 150} {at}h18"/>')
        parts.append(f'<text class="tick" x="{_LEFT + _SIZE - 126}" y="{at + 4}">{escape(text)}</text>')
    return parts


def _line(points: Sequence[tuple[float, float]], kind: str) -> str:
    placed = [_place(x, y) for x, y in points]
    path = "".join(("L" if n else "M") + f"{x:.1f} {y:.1f}" for n, (x, y) in enumerate(placed))
    return f'<path class="line {kind}" d="{path}"/>'


def _place(x: float, y: float) -> tuple[float, float]:
    return _LEFT + x * _SIZE, _TOP + (1 - y) * _SIZE


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    drawn = "".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{escape(title)}">{drawn}</svg>'
