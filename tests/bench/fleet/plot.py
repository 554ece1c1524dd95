"""Growth as a picture: processors, memory, delay over the number of boxes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from tests.bench.fleet.__main__ import Outcome


def plot_growth(outcomes: "Sequence[Outcome]", path: Path) -> None:
    """One picture of three panels."""
    sizes = [one.boxes for one in outcomes]
    figure, (cores, memory, late) = plt.subplots(1, 3, figsize=(11, 3.4))
    for name in outcomes[0].costs:
        cores.plot(sizes, [one.costs[name].cores for one in outcomes], marker="o", label=name)
        memory.plot(sizes, [one.costs[name].memory_mb for one in outcomes], marker="o", label=name)
    late.plot(sizes, [one.phases[0][1].p95_s or float("nan") for one in outcomes], marker="o", label="p95, before any fault")
    titles = ("cores busy", "memory, MB", "alert to browser, s")
    for axes, title in zip((cores, memory, late), titles, strict=True):
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xlabel("boxes")
        axes.set_title(title, fontsize=10)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.3)
    memory.legend(fontsize=7)
    late.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
