"""The sections of the bench that say how things grow, what the pipeline does to words, and what two machines can compare."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any

from tests.bench.growth import said

ROOT = Path(__file__).parent.parent.parent
# Small enough for an hour's bench; an hour of call and a million rows are what the issue asks for.
_MINUTES, _LINES, _ROWS = "1,5,15,60", "1,2,4,8", "0,10000,100000,1000000"
_MINUTES_QUICK, _LINES_QUICK, _ROWS_QUICK = "1,2", "1,2", "0,1000,10000"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run_json(*arguments: str) -> Any:
    """What a module of the bench prints last, in a process of its own with one thread for linear algebra."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def growth(*, quick: bool) -> dict[str, list[dict[str, float]]]:
    """Three curves: calls of so many minutes, so many lines at once, so many rows in the outbox."""
    sizes = (_MINUTES_QUICK, _LINES_QUICK, _ROWS_QUICK) if quick else (_MINUTES, _LINES, _ROWS)
    names = ("calls", "lines", "outboxes")
    return {name: run_json("tests.bench.growth", name, wanted, "both") for name, wanted in zip(names, sizes, strict=True)}


def growth_rows(curves: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """The curves as rows of the table: how often the cost of the smallest the largest has; and a further line's memory."""
    units = {"calls": "CPU s a minute of call", "lines": "CPU s a line and minute", "outboxes": "ms an event"}
    rows = []
    for name, points in curves.items():
        detail = f"{said(points)}; {units[name]}: " + ", ".join(f"{point['x']:g}: {point['cost']:.3g}" for point in points)
        figure = points[-1]["cost"] / points[0]["cost"]
        rows.append(row(f"growth of cost: {name}, {points[0]['x']:g} to {points[-1]['x']:g}", figure, "x", 1.5, 1.25, detail))
    few, many = curves["lines"][0], curves["lines"][-1]
    each = (many["memory_mb"] - few["memory_mb"]) / (many["x"] - few["x"])
    memory = ", ".join(f"{point['x']:g}: {point['memory_mb']:.0f} MB" for point in curves["lines"])
    return [*rows, row("memory of a further line in its call (judging alone)", each, "MB", 90, 60, memory)]


def word_errors(calls: int) -> list[dict[str, Any]]:
    """WER of the whole pipeline less bare Vosk's."""
    total = run_json("tests.bench.wer", str(calls))
    ours, bare = (100 * total[who] / total["words"] for who in ("ours", "bare"))
    detail = f"{ours:.1f} % / {bare:.1f} % of {total['words']} words in {calls} drawn calls"
    return [row("word error rate, whole pipeline less bare Vosk", ours - bare, "points", 1.0, 0.0, detail)]


def capacity(most: int) -> list[dict[str, Any]]:
    """Two-channel lines that this machine carries, by the box's own measurement."""
    given = [sys.executable, "-m", "edge", "doctor", "--bench", "--lines", str(most), "--json"]
    done = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout.splitlines()[-1])
    detail = f"{found['share']:.3f} of a core a line, {found['late_s']:.2f} s late at worst, {found['cores']} cores, at most {most} tried"
    return [row("two-channel lines that this machine carries", found["lines"], "lines", 8, 14, detail, higher=True)]


def instructions(call: Path) -> list[dict[str, Any]]:
    """Instructions in user space of one replay and of bare Vosk, loading taken out by doing it once and three times."""
    perf = which("perf")
    counted: dict[str, float] = {}
    for name, arguments in (("replay", [str(call)]), ("bare_vosk", [str(call), "1"])):
        counts = [_counted(perf, name, runs, arguments) for runs in (1, 3)] if perf else []
        if not counts or None in counts:
            print("instructions: not counted, because there is no perf here or this machine has no counter for it", file=sys.stderr)
            return []
        counted[name] = (counts[1] - counts[0]) / 2  # type: ignore[operator]
    detail = f"{counted['replay'] / 1e9:.2f} / {counted['bare_vosk'] / 1e9:.2f} thousand million, start taken out"
    return [row("instructions of replay / bare Vosk on one channel", counted["replay"] / counted["bare_vosk"], "x", 1.0, 0.6, detail)]


def _counted(perf: str, name: str, runs: int, arguments: Sequence[str]) -> float | None:
    work = [sys.executable, "-m", "tests.bench.work", name, str(runs), *arguments]
    given = [perf, "stat", "-x,", "-e", "instructions:u", *work]
    done = subprocess.run(given, cwd=ROOT, env=os.environ | _ONE_THREAD, capture_output=True, text=True, check=False)
    found = re.search(r"^(\d+),[^,]*,instructions", done.stderr, re.MULTILINE)
    return float(found[1]) if found else None


def row(name: str, figure: float, unit: str, least: float, aim: float, detail: str, *, higher: bool = False) -> dict[str, Any]:
    """A row of the table, as data."""
    return {"name": name, "figure": figure, "unit": unit, "least": least, "aim": aim, "higher": higher, "detail": detail}
