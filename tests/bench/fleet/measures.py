"""What a run costs and how late alerts are: processor time, memory and network of groups of processes, and when browsers heard."""

import itertools
import json
import statistics
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx
import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one group of processes over a while: cores busy, resident memory now."""

    cores: float
    memory_mb: float


class Meter:
    """Processor time of groups of processes (with their children) from now to `end`."""

    def __init__(self, groups: Mapping[str, Iterable[int]]) -> None:
        self._groups = groups
        self._began, self._at = self._now(), time.monotonic()

    def end(self) -> dict[str, Cost]:
        """What ended in between is left out."""
        now = self._now()
        took = time.monotonic() - self._at
        return {
            name: Cost(
                cores=sum(max(0.0, spent - self._began[name].get(pid, (0.0, 0.0))[0]) for pid, (spent, _) in found.items()) / took,
                memory_mb=sum(memory for _, memory in found.values()),
            )
            for name, found in now.items()
        }

    def _now(self) -> dict[str, dict[int, tuple[float, float]]]:
        return {name: dict(itertools.chain.from_iterable(map(_family, pids))) for name, pids in self._groups.items()}


def _family(pid: int) -> list[tuple[int, tuple[float, float]]]:
    found = []
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            times, memory = one.cpu_times(), one.memory_full_info()
            # What PostgreSQL's processes share counts once.
            found.append((one.pid, (times.user + times.system, memory.pss / 1e6)))
    except psutil.NoSuchProcess:
        pass
    return found


def loopback_bytes() -> int:
    """All that went over this machine's loopback since it started: boxes, nodes among themselves, desk, database, browsers."""
    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


class Browser(threading.Thread):
    """Who has the queue open: listens to a web process's stream as the page does, and comes back when it is gone.

    `heard`: number of a case -> when it was first told (monotonic).
    """

    def __init__(self, base_url: str, name: str, password: str) -> None:
        super().__init__(daemon=True)
        self.heard: dict[str, float] = {}
        self._base, self._login = base_url, {"name": name, "password": password}
        self._over = threading.Event()

    def run(self) -> None:
        last = None
        with httpx.Client(base_url=self._base, timeout=httpx.Timeout(10.0, read=20.0)) as client:
            while not self._over.is_set():
                try:
                    client.post("/login", data=self._login)
                    with client.stream("GET", "/stream", headers={} if last is None else {"Last-Event-ID": last}) as answer:
                        for line in answer.iter_lines():
                            if line.startswith("id: "):
                                last = line[4:]
                            elif line.startswith("data: ") and '"case"' in line:
                                self.heard.setdefault(json.loads(line[6:])["key"], time.monotonic())
                            if self._over.is_set():
                                return
                except httpx.HTTPError:
                    self._over.wait(0.5)

    def stop(self) -> None:
        """No more."""
        self._over.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long alerts took from the box's commit to the first browser, in seconds."""

    count: int
    median_s: float | None
    p95_s: float | None
    most_s: float | None
    untold: int


def delays(began: Mapping[str, float], heard: Mapping[str, float], from_: float, until: float) -> Delays:
    """Of the alerts committed from monotonic `from_` until `until`; both maps by call."""
    mine = [call for call, at in began.items() if from_ <= at < until]
    took = sorted(heard[call] - began[call] for call in mine if call in heard)
    return Delays(
        count=len(mine),
        median_s=statistics.median(took) if took else None,
        p95_s=_p95(took) if took else None,
        most_s=took[-1] if took else None,
        untold=len(mine) - len(took),
    )


def _p95(ranked: Sequence[float]) -> float:
    return ranked[min(len(ranked) * 95 // 100, len(ranked) - 1)]
