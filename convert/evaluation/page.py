"""An evaluation as one self-contained HTML page that a person can read from top to bottom."""

from collections.abc import Callable, Mapping
from pathlib import Path

from markupsafe import Markup

from convert.evaluation import charts
from convert.evaluation.protocols import Report, Result
from convert.evaluation.score import Figures
from edge.errors import StoreError, counted
from edge.files import pages

_CHANCE = 1 / 7
# Under these an interval is a fifth of the scale wide, or rests on who happened to be asked (the bootstrap draws speakers from five on).
_CLIPS, _SPEAKERS = 100, 5
# How the corpora were made; "csv" is a site's own.
ACTED = {
    "tess": "TESS", "ravdess": "RAVDESS", "nemo": "nEMO", "ased": "ASED", "savee": "SAVEE", "emovo": "EMOVO", "turev": "TurEV-DB",
}  # fmt: skip


def write_page(path: Path, report: Report) -> None:
    """Leave the page at `path`. Raises StoreError if it cannot be written."""
    try:
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=path, remedy="give a folder of yours") from error


def render(report: Report) -> str:
    """The page as text."""
    rows = [
        (f"{result.protocol}: {result.fold}", result.figures.uar, "leak" if result.protocol == "random" else "honest")
        for result in report.results
        if _is_main(result)
    ]
    filters: dict[str, Callable[..., object]] = {
        "confusion": _drawn(charts.confusion),
        "reliability": _drawn(charts.reliability),
        "risk": _drawn(charts.risk),
        "shares": _shares,
    }
    return pages.render(
        "convert.evaluation",
        filters,
        report=report,
        overview=Markup(charts.bars(rows, _CHANCE, "unweighted average recall (UAR)")),  # noqa: S704 (charts escape)
        leak=any(kind == "leak" for _, _, kind in rows),
        protocols=_by_protocol(report.results),
        is_main=_is_main,
        acted=[name for corpus, name in ACTED.items() if corpus in report.given],
        few=_few(report.results),
    )


def _few(results: tuple[Result, ...]) -> str | None:
    """What is told of folds with so few clips or speakers that their figures are hardly any; None where there is none."""
    tested = {(result.protocol, result.fold): (result.figures.clips, result.figures.speakers) for result in results}
    few = [(fold, clips, people) for (_, fold), (clips, people) in tested.items() if clips < _CLIPS or people < _SPEAKERS]
    return "; ".join(f"{fold}: {clips} clips of {counted(people, 'speaker')}" for fold, clips, people in few) or None


def _is_main(result: Result) -> bool:
    """What a box does: int8, on the telephone."""
    return result.condition == "phone" and result.net == "int8"


def _by_protocol(results: tuple[Result, ...]) -> list[tuple[str, list[tuple[list[Result], Result]]]]:
    """Protocol -> folds in order of first sight, each its results and the one that is drawn."""
    folds: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        folds.setdefault(result.protocol, {}).setdefault(result.fold, []).append(result)
    return [(protocol, [(fold, next(filter(_is_main, fold), fold[0])) for fold in named.values()]) for protocol, named in folds.items()]


def _drawn(chart: Callable[[Figures], str]) -> Callable[[Figures], Markup]:
    return lambda found: Markup(chart(found))  # noqa: S704 (charts escape)


def _shares(table: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in table.items())
