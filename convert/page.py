"""An evaluation as one self-contained HTML page that a person can read from top to bottom."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from convert import charts
from convert.protocols import Report, Result
from convert.score import Figures, Range
from edge.errors import StoreError

_STYLE = """
:root{--ink:#1c2430;--soft:#5c6b7d;--line:#dde3ea;--paper:#fff;--wash:#f5f7f9;--blue:#2463a8;--orange:#c75d11;--grey:#9aa7b5}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9fb0c1;--line:#2d3947;--paper:#131a22;--wash:#1a232d;--blue:#66a8ee;
--orange:#f09a55;--grey:#64748a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1080px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.4rem 0 .3rem;border-top:1px solid var(--line);padding-top:1.2rem}
h3{font-size:1rem;margin:1.4rem 0 .2rem}p{max-width:85ch}.soft{color:var(--soft)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem;margin:.6rem 0}
th,td{text-align:right;padding:.25rem .7rem;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}
th:first-child,td:first-child,th.l,td.l{text-align:left}td small{color:var(--soft)}tr.main td{background:var(--wash);font-weight:600}
.row{display:flex;flex-wrap:wrap;gap:1.2rem;align-items:flex-end}figure{margin:.4rem 0}
figcaption{font-size:.85rem;color:var(--soft);max-width:19rem}
.scroll{overflow-x:auto}svg{max-width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .tick{fill:var(--soft);font-size:11px}
svg .axis{fill:var(--soft)}svg .name{font-size:13px}svg .value{font-weight:600}.cell{fill:var(--blue)}svg .light{fill:#fff}
.grid{stroke:var(--line);fill:none}.line{fill:none;stroke-width:2}.ideal{stroke:var(--grey);stroke-dasharray:4 4;stroke-width:1}
.line.before{stroke:var(--orange)}.line.after{stroke:var(--blue)}circle.before{fill:var(--orange)}circle.after{fill:var(--blue)}
.bar{fill:var(--blue)}.bar.leak{fill:var(--orange)}.whisker{stroke:var(--ink);fill:none;stroke-width:1.4}
.chance{stroke:var(--grey);stroke-dasharray:3 3;fill:none}
"""
_CHANCE = 1 / 7


def write_page(path: Path, report: Report) -> None:
    """Leave the page at `path`. Raises StoreError if it cannot be written."""
    try:
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; give a folder of yours") from error


def render(report: Report) -> str:
    """The page as text."""
    protocols = list(dict.fromkeys(result.protocol for result in report.results))
    parts = [
        f"<h1>How good is {escape(report.model)}?</h1>",
        _head(report),
        _overview(report.results),
    ]
    for protocol in protocols:
        chosen = [result for result in report.results if result.protocol == protocol]
        parts.append(f"<h2>{escape(protocol)}</h2><p>{escape(report.says.get(protocol, ''))}</p>")
        names = dict.fromkeys(result.fold for result in chosen)
        parts += [_fold([result for result in chosen if result.fold == name]) for name in names]
    parts.append(
        "<h2>What these figures cannot say</h2><p>All this is acted speech. Real callers are rarely as plain as actors: no figure here "
        "was made on telephone calls, and the model's manifest says so (validated_on_calls: false).</p>"
    )
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(report.model)}: evaluation</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _head(report: Report) -> str:
    """What was judged, and how."""
    model = f"; model {report.model_sha256[:12]}" if report.model_sha256 else ""
    return (
        f'<p class="soft">Undertone {escape(report.undertone)}, {escape(report.made)}{escape(model)}; '
        f"what it learnt from: {escape(report.licence)}. Every figure comes through the code that runs on the box: sound in, int8 net, "
        f"calibrated reading out. {escape(report.recipe)}</p>"
    )


def _overview(results: Sequence[Result]) -> str:
    """One bar a fold: int8, on the telephone. The leaking protocol has another colour."""
    rows = [
        (f"{result.protocol}: {result.fold}", result.figures.uar, "leak" if result.protocol == "random" else "honest")
        for result in results
        if result.condition == "phone" and result.net == "int8"
    ]
    leak = any(kind == "leak" for _, _, kind in rows)
    note = (
        " The orange bar is what a random split shows: the same voices in training and test. It says nothing about a stranger."
        if leak
        else ""
    )
    return (
        f"<h2>At a glance</h2><p>Seven emotions on a telephone line, unweighted average recall.{note}</p>"
        f'<div class="scroll">{charts.bars(rows, _CHANCE, "unweighted average recall (UAR)")}</div>'
    )


def _fold(results: Sequence[Result]) -> str:
    first = results[0]
    rows = "".join(_row(result) for result in results)
    main = next((r for r in results if r.condition == "phone" and r.net == "int8"), first)
    return (
        f'<h3>{escape(first.fold)}</h3><p class="soft">Tested on {escape(first.tested_on)}. Trained on {escape(first.trained_on)}.</p>'
        '<div class="scroll"><table><tr><th>condition</th><th class="l">net</th><th>UAR</th><th>negative AUC</th><th>polarity UAR</th>'
        f"<th>accuracy</th><th>ECE before</th><th>ECE after</th><th>judged</th></tr>{rows}</table></div>"
        f"{_plots(main.figures, main.condition)}"
    )


def _row(result: Result) -> str:
    found = result.figures
    mark = ' class="main"' if result.condition == "phone" and result.net == "int8" else ""
    ranges = "".join(f"<td>{_with_range(r)}</td>" for r in (found.uar, found.negative_auc, found.polarity_uar))
    return (
        f'<tr{mark}><td>{escape(result.condition)}</td><td class="l">{result.net}</td>{ranges}<td>{found.accuracy:.3f}</td>'
        f"<td>{found.ece_before:.3f}</td><td>{found.ece_after:.3f}</td><td>{found.coverage * 100:.0f} %</td></tr>"
    )


def _plots(found: Figures, condition: str) -> str:
    recalls, polarities = (
        ", ".join(f"{escape(name)} {value:.2f}" for name, value in table.items()) for table in (found.recall, found.polarity_recall)
    )
    figures = (
        (charts.confusion(found), f"What it was (rows) and what it was taken for (columns), % of each row; {condition}."),
        (charts.reliability(found), "When it says 70 % negative, is it so in 70 %? On the dashed line it is. Dots: more clips, larger."),
        (charts.risk(found), "Wrong polarities if only the surest clips are answered."),
    )
    drawn = "".join(f"<figure>{svg}<figcaption>{escape(says)}</figcaption></figure>" for svg, says in figures)
    return f'<div class="row">{drawn}</div><p class="soft">Recall of each emotion: {recalls}. Of each polarity: {polarities}.</p>'


def _with_range(found: Range) -> str:
    if found.value is None:
        return "-"
    between = f" <small>{found.low:.2f}-{found.high:.2f}</small>" if found.low is not None and found.high is not None else ""
    return f"{found.value:.3f}{between}"
