"""Warm workers that take turns, so that a machine which is busier now than before is so for both sides of a ratio.

A worker is a process: it loads, does its work once, says so, and then does it once more for every line on its stdin. This file
is imported in the baselines' environments too: the standard library and nothing else.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def serve(load: Callable[[], Callable[[], Any]], *, times: int = 1) -> None:
    """The worker's side: `load` gives the work, which is done `times` at a time and counted for one."""
    work = load()
    work()
    print("{}", flush=True)
    for _ in sys.stdin:
        began = time.process_time()
        for _ in range(times):
            work()
        print(json.dumps({"cpu_s": (time.process_time() - began) / times}), flush=True)


class Worker:
    """A worker as the bench sees it. `python` may be another environment's; `under` is a program that runs it (a profiler)."""

    def __init__(self, module: str, *arguments: str, python: str = sys.executable, under: Sequence[str] = ()) -> None:
        command = [*under, python, "-m", module, *arguments]
        environment = os.environ | _ONE_THREAD | {"PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.pid = self._process.pid
        # Warm.
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def once(self) -> dict[str, float]:
        """The work once more."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        for line in self._process.stdout:
            # Libraries print what they like.
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"a worker ended with exit code {self._process.wait()}: {self._process.args}")


class Times(list[float]):
    """CPU seconds of one worker, run by run."""

    @property
    def median(self) -> float:
        return statistics.median(self)

    def told(self, scale: float = 1.0) -> str:
        """median (least to most), times `scale`."""
        return f"{self.median * scale:.3g} ({min(self) * scale:.3g} to {max(self) * scale:.3g})"


def in_turn(runs: int, **workers: Worker) -> dict[str, Times]:
    """CPU seconds of every worker, `runs` times round the table; ends them."""
    found = {name: Times() for name in workers}
    with ExitStack() as stack:
        for worker in workers.values():
            stack.enter_context(worker)
        for _ in range(runs):
            for name, worker in workers.items():
                found[name].append(worker.once()["cpu_s"])
    return found


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
