"""The bench as pictures, with matplotlib's file backend."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from tests.bench.row import Row

_GOOD, _SHORT = "#1f7a8c", "#c2491d"


def plot_rows(rows: list[Row], path: Path) -> None:
    """Each figure as a share of what is asked at least: left of the line is good."""
    judged = [(row.name, row.share) for row in rows if row.share is not None]
    if not judged:
        return
    figure, axes = plt.subplots(figsize=(11, 0.5 * len(judged) + 1.2))
    axes.barh([name for name, _ in judged], [share for _, share in judged], color=[_GOOD if share <= 1 else _SHORT for _, share in judged])
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_xlabel("share of the least that is asked for (left of the line is good)")
    axes.invert_yaxis()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def plot_growth(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Cost of one (a minute, a line, an event) over how many, the first being 1: a flat line is good."""
    names = {"calls": "minutes of a call", "lines": "lines at once", "outboxes": "rows in the outbox"}
    figure, every = plt.subplots(1, len(curves), figsize=(11, 3.2), sharey=True)
    for axes, (name, points) in zip(every, curves.items(), strict=True):
        # Each size as far from the next: 0 rows have no place on a logarithmic axis.
        axes.plot(range(len(points)), [p["cost"] / points[0]["cost"] for p in points], marker="o", color=_GOOD)
        axes.set_xticks(range(len(points)), [f"{p['x']:,.0f}" for p in points])
        axes.set_xlabel(names[name])
    every[0].set_ylim(0, 1.1 * every[0].get_ylim()[1])
    every[0].set_ylabel("cost of one, the first being 1")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
