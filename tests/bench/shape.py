"""The sections that say how things grow, what the pipeline does to words, what the environment weighs, what the box says it carries."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.environments import box_size_mb
from tests.bench.growth import said
from tests.bench.plots import plot_growth
from tests.bench.row import Row
from tests.bench.turns import ROOT

BUILD = ROOT / "build"
# An hour of call and a million rows are what the issue asks for. The hour takes one core five minutes, the others run beside it.
_SIZES = {"calls": "1,5,15,60", "lines": "1,2,4,8", "outboxes": "0,10000,100000,1000000"}
_QUICK = {"calls": "1,2", "lines": "1,2", "outboxes": "0,1000,10000"}
_UNITS = {"calls": "CPU s a minute of call", "lines": "CPU s a line and minute", "outboxes": "ms an event"}
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _printed(*arguments: str) -> Any:
    """The JSON that a module of the bench prints last, in a process of its own with one thread for linear algebra."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def growth(runs: int) -> list[Row]:
    """Three curves and a plot of them: one call of an hour, lines at once, rows in the outbox; and what a further line holds."""
    sizes = _QUICK if runs < 2 else _SIZES

    def curve(*names: str) -> list[Any]:
        return [_printed("tests.bench.growth", name, sizes[name]) for name in names]

    with ThreadPoolExecutor(2) as beside:
        # What is timed by the clock of the CPU bears company; two cores are enough for both.
        hour, others = beside.submit(curve, "calls"), beside.submit(curve, "lines", "outboxes")
        curves = dict(zip(("calls", "lines", "outboxes"), [*hour.result(), *others.result()], strict=True))
    BUILD.mkdir(exist_ok=True)
    (BUILD / "growth.json").write_text(json.dumps(curves, indent=1))
    plot_growth(curves, BUILD / "growth.png")
    return [*(_grown(name, points) for name, points in curves.items()), _of_a_line(curves["lines"]), _of_an_hour(curves["calls"])]


def _grown(name: str, points: list[dict[str, float]]) -> Row:
    detail = f"{said(points)}; {_UNITS[name]}: " + ", ".join(f"{point['x']:g}: {point['cost']:.3g}" for point in points)
    figure = points[-1]["cost"] / points[0]["cost"]
    return Row(name=f"growth of cost: {name}, {points[0]['x']:g} to {points[-1]['x']:g}", figure=figure, unit="x", detail=detail)


def _of_a_line(points: list[dict[str, float]]) -> Row:
    each = (points[-1]["memory_mb"] - points[0]["memory_mb"]) / (points[-1]["x"] - points[0]["x"])
    detail = ", ".join(f"{point['x']:g}: {point['memory_mb']:.0f} MB" for point in points)
    return Row(name="resident memory of a further line, judging alone", figure=each, unit="MB", least=90, aim=60, detail=detail)


def _of_an_hour(points: list[dict[str, float]]) -> Row:
    detail = ", ".join(f"{point['x']:g} min: {point['memory_mb']:.0f} MB" for point in points)
    return Row(name="resident memory at the end of a long call", figure=points[-1]["memory_mb"], unit="MB", detail=detail)


def word_errors(runs: int) -> list[Row]:
    """WER of the whole pipeline less bare Vosk's, on drawn calls with known text; two processes share the calls."""
    # 1 to 6 chose how the empty band is filled (edge.asr.band).
    seeds = [str(seed) for seed in range(7, 9 if runs < 2 else 11)]
    with ThreadPoolExecutor(2) as beside:
        each = list(beside.map(lambda seed: _printed("tests.bench.wer", seed), seeds))
    total = {key: sum(one[key] for one in each) for key in each[0]}
    ours, bare = (100 * total[who] / total["words"] for who in ("ours", "bare"))
    detail = f"{ours:.1f} % / {bare:.1f} % of {total['words']} words in {len(seeds)} drawn calls"
    return [
        Row(name="word error rate, whole pipeline less bare Vosk", figure=ours - bare, unit="points", least=1.0, aim=0.0, detail=detail)
    ]


def capacity(runs: int) -> list[Row]:
    """Two-channel lines that this machine carries, by the box's own measurement."""
    most = 1 if runs < 2 else 24
    given = [sys.executable, "-m", "edge", "doctor", "--bench", "--lines", str(most), "--json"]
    done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout.splitlines()[-1])
    detail = f"{found['share']:.3f} of a core a line, {found['late_s']:.2f} s late at worst, {found['cores']} cores, at most {most} tried"
    return [Row(name="two-channel lines by `doctor --bench`", figure=found["lines"], unit="lines", higher=True, detail=detail)]


def size(_: int) -> list[Row]:
    """The box's environment on disk."""
    return [Row(name="box environment on disk, without models", figure=box_size_mb(), unit="MB", least=250, aim=150, detail="a fresh one")]
