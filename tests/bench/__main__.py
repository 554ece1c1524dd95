"""`make bench`: figures and ratios against named baselines, in one run, with the machine described.

Every row names its baseline; both sides are warm processes of this run, and the medians make the ratio. Leaves
build/bench.json and build/bench.png beside the table.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import live, shape
from tests.bench.environments import bench_python, box_size_mb, tflite_python

ROOT = Path(__file__).parent.parent.parent
CALL = ROOT / "tests" / "demo" / "call.wav"
BUILD = ROOT / "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured ratio. `least` and `aim` are bounds of `figure`; `higher` says which way is good."""

    name: str
    figure: float
    unit: str
    least: float
    aim: float
    higher: bool
    detail: str

    @property
    def verdict(self) -> str:
        """aim, least, or short."""
        reached = (lambda bound: self.figure >= bound) if self.higher else (lambda bound: self.figure <= bound)
        return "aim" if reached(self.aim) else "least" if reached(self.least) else "short"


def work(name: str, *arguments: str, runs: int = 5) -> dict[str, list[float] | float]:
    """Run one worker in a process of its own (one thread for linear algebra) and return what it measured."""
    found: dict[str, list[float] | float] = shape.run_json("tests.bench.work", name, str(runs), *arguments)
    return found


def common_way(runs: int) -> dict[str, list[float] | float]:
    """The librosa and Keras baseline, in its own environment."""
    done = subprocess.run(
        [bench_python(), str(ROOT / "tests/bench/common.py"), str(runs), str(CALL), str(ROOT / "edge/words/nltk_data")],
        capture_output=True, text=True, check=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def median(result: dict, key: str = "cpu_s") -> float:
    """The median of a worker's runs."""
    return statistics.median(result[key])


def spread(result: dict, unit: float = 1.0, key: str = "cpu_s") -> str:
    """median (least to most) of a worker's runs, in seconds times `unit`."""
    values = [v * unit for v in result[key]]
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def cpu_of_a_call(runs: int) -> list[Row]:
    """A two-channel call, default settings and both sides' words, against bare Vosk."""
    ours, both = work("replay", str(CALL), runs=runs), work("replay", str(CALL), "both", "agent", runs=runs)
    bare, bare_both = work("bare_vosk", str(CALL), "1", runs=runs), work("bare_vosk", str(CALL), "2", runs=runs)
    return [
        Row(
            name="CPU of replay --fast, default settings / bare Vosk on the customer's channel",
            figure=median(ours) / median(bare), unit="x", least=1.0, aim=0.6, higher=False,
            detail=f"{spread(ours)} s / {spread(bare)} s",
        ),
        Row(
            name="CPU with both sides' words / bare Vosk on both channels",
            figure=median(both) / median(bare_both), unit="x", least=0.8, aim=0.6, higher=False,
            detail=f"{spread(both)} s / {spread(bare_both)} s",
        ),
    ]  # fmt: skip


def cpu_of_a_clip(runs: int) -> list[Row]:
    """Our voice path on 3 s, against the common way and tflite-runtime."""
    ours, theirs = work("voice", str(CALL), runs=runs), common_way(runs)
    return [
        Row(
            name="the common way's CPU for one 3 s clip (librosa, Keras predict, VADER) / our whole voice path's",
            figure=median(theirs) / (median(ours) / 50), unit="x", least=25, aim=60, higher=True,
            detail=f"{spread(theirs, 1000)} ms / {spread(ours, 1000 / 50)} ms",
        )
    ]  # fmt: skip


def cpu_of_a_sentence(runs: int) -> list[Row]:
    """Our words path against VADER alone."""
    ours, vader = work("words", str(CALL), runs=runs), work("vader", str(CALL), runs=runs)
    return [
        Row(
            name="CPU of a sentence: whole words path / NLTK's VADER alone",
            figure=median(ours) / median(vader), unit="x", least=3, aim=1.5, higher=False,
            detail=f"{spread(ours, 1000 / 240)} ms / {spread(vader, 1000 / 240)} ms",
        )
    ]  # fmt: skip


def interpreters(runs: int) -> list[Row]:
    """LiteRT against tflite-runtime on our own model."""
    script = str(ROOT / "tests/bench/interpreter.py")
    model = str(ROOT / "models/voice/model.tflite")
    figures = []
    for python in (sys.executable, tflite_python()):
        done = subprocess.run([python, script, model, str(runs)], capture_output=True, text=True, check=True)
        figures.append(json.loads(done.stdout.splitlines()[-1]))
    ours, theirs = figures
    return [
        Row(
            name="tflite-runtime 2.14.0 / LiteRT, one inference of our model",
            figure=median(theirs) / median(ours), unit="x", least=1, aim=1, higher=True,
            detail=f"{spread(theirs, 1000)} ms / {spread(ours, 1000)} ms",
        )
    ]  # fmt: skip


def size(_: int) -> list[Row]:
    """The box's environment on disk."""
    figure = box_size_mb()
    return [
        Row(name="box environment on disk, without models", figure=figure, unit="MB", least=250, aim=150, higher=False, detail="fresh venv")
    ]


def live_rows(_: int) -> list[Row]:
    """Latency, memory and start of `undertone run`, with a real broker."""
    with tempfile.TemporaryDirectory() as folder:
        return [Row(**figures) for figures in live.measure(Path(folder), CALL)]


def growth_rows(runs: int) -> list[Row]:
    """Flat or not: calls of 1 to 60 minutes, 1 to 8 lines, outboxes of up to a million rows. Its curves go into build/growth.png."""
    curves = shape.growth(quick=runs < 2)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "growth.json").write_text(json.dumps(curves, indent=1))
    _plot_growth(curves, BUILD / "growth.png")
    return [Row(**figures) for figures in shape.growth_rows(curves)]


def word_errors(runs: int) -> list[Row]:
    """What cutting by the endpointer does to words."""
    return [Row(**figures) for figures in shape.word_errors(min(8, 2 * runs))]


def capacity(runs: int) -> list[Row]:
    """How many lines this machine carries."""
    return [Row(**figures) for figures in shape.capacity(1 if runs < 2 else 24)]


def instructions(_: int) -> list[Row]:
    """Counts that two machines can compare."""
    return [Row(**figures) for figures in shape.instructions(CALL)]


SECTIONS: dict[str, Callable[[int], list[Row]]] = {
    "call": cpu_of_a_call,
    "clip": cpu_of_a_clip,
    "sentence": cpu_of_a_sentence,
    "interpreter": interpreters,
    "size": size,
    "wer": word_errors,
    "instructions": instructions,
    "growth": growth_rows,
    "capacity": capacity,
    "live": live_rows,
}


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help=f"only these, of {', '.join(SECTIONS)} (default: all)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each worker (default: 5); 1 only tries everything at small size")
    args = parser.parse_args()
    console = Console()
    rows = []
    for section in args.sections or SECTIONS:
        with console.status(f"measuring: {section}"):
            rows += SECTIONS[section](args.runs)
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, {_processor()}"
    )
    table = Table("measure", "figure", "at least", "aim", "reached", "medians (spread)", title=machine)
    for row in rows:
        table.add_row(row.name, f"{row.figure:.2f} {row.unit}", f"{row.least:g}", f"{row.aim:g}", row.verdict, row.detail)
    console.print(table)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.json").write_text(
        json.dumps({"machine": machine, "rows": [asdict(r) | {"verdict": r.verdict} for r in rows]}, indent=1)
    )
    if rows:
        _plot(rows, BUILD / "bench.png")
    console.print("saved: build/bench.json, build/bench.png")
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def _plot(rows: list[Row], path: Path) -> None:
    """Each figure as a share of its bound: under 1 is good."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shares = [(r.least / max(r.figure, 1e-9) if r.higher else r.figure / r.least) for r in rows]
    figure, axes = plt.subplots(figsize=(10, 0.6 * len(rows) + 1.2))
    axes.barh([r.name for r in rows], shares, color=["#1f7a8c" if s <= 1 else "#c2491d" for s in shares])
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_xlabel("share of the least that is asked for (left of the line is good)")
    axes.invert_yaxis()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _plot_growth(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Cost per unit over size, the smallest being 1: flat is good."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = {"calls": "minutes of a call", "lines": "lines at once", "outboxes": "rows in the outbox"}
    figure, every = plt.subplots(1, len(curves), figsize=(11, 3.2), sharey=True)
    for axes, (name, points) in zip(every, curves.items(), strict=True):
        axes.plot([max(1, p["x"]) for p in points], [p["cost"] / points[0]["cost"] for p in points], marker="o", color="#1f7a8c")
        axes.set_xscale("log")
        axes.set_xlabel(names[name])
        axes.set_ylim(bottom=0)
    every[0].set_ylabel("cost of one, the first being 1")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
