"""Boxes on a cluster of NATS servers, the desk on PostgreSQL: what it costs as they grow, and what is lost when parts die.

  python -m tests.bench.fleet                          10, 100 and 1,000 boxes, and the faults at 1,000: a quarter of an hour
  python -m tests.bench.fleet --boxes 50 --faults      so many alone, with the faults

Nothing may be lost or doubled. How late alerts are is from the box's commit to the first of two browsers.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.fleet.measures import Cost, Delays, Meter, delays, loopback_bytes
from tests.bench.fleet.plot import plot_growth
from tests.bench.fleet.site import Fleet
from tests.desk_process import until
from tests.paths import ROOT, TESTS

# After the first call of each box began.
_SETTLE_S, _STEADY_S = 30.0, 60.0
_NODE_AWAY_S, _PROCESS_AWAY_S, _CUT_S, _AFTER_S = 20.0, 10.0, 60.0, 40.0
_LAGGING_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of a run."""

    name: str
    from_: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one run."""

    boxes: int
    told: int
    lost: int
    doubled: int
    gaps: int
    unsent: int
    rate: float
    bytes_per_event: float
    costs: dict[str, Cost]
    phases: list[tuple[Phase, Delays]]


def run(boxes: int, calls: Path, *, faults: bool, steady_s: float = _STEADY_S) -> Outcome:
    """One fleet, from start to the last event stored."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Fleet(Path(folder), boxes) as fleet:
        phases: list[Phase] = []

        def phase(name: str, work: Callable[[], None]) -> None:
            began = time.monotonic()
            work()
            phases.append(Phase(name=name, from_=began, until=time.monotonic()))
            print(f"  {name}: {phases[-1].until - began:.0f} s", flush=True)

        fleet.start_boxes(calls)
        phase("settling", lambda: time.sleep(_SETTLE_S))
        meter, bytes_, events = Meter(fleet.groups()), loopback_bytes(), _stored(fleet)
        phase("before", lambda: time.sleep(steady_s))
        costs, bytes_, events = meter.end(), loopback_bytes() - bytes_, _stored(fleet) - events
        if faults:
            phase("a node killed, back after 20 s", lambda: _node(fleet))
            phase("an ingest killed, back after 10 s", lambda: _process(fleet, "ingest-1", lambda: fleet.start_ingest(1)))
            phase("a web process killed, back after 10 s", lambda: _process(fleet, "web-1", lambda: fleet.start_web(1)))
            phase("half of the boxes cut off for 60 s", lambda: _cut(fleet))
            phase("after", lambda: time.sleep(_AFTER_S))
        told, unsent = fleet.stop_boxes()
        try:
            until(lambda: _stored(fleet) >= sum(told.values()), _LAGGING_S)
        except AssertionError:
            print("  not everything came", flush=True)
        # Anything that is told twice would come now.
        time.sleep(3)
        stored, heard = fleet.stored(), fleet.first_heard()
        return Outcome(
            boxes=boxes,
            told=sum(told.values()),
            lost=sum(max(0, count - stored.get(source, (0, 0))[0]) for source, count in told.items()),
            doubled=sum(max(0, stored.get(source, (0, 0))[0] - count) for source, count in told.items()),
            gaps=sum(gaps for _, gaps in stored.values()),
            unsent=unsent,
            rate=events / steady_s,
            bytes_per_event=bytes_ / max(events, 1),
            costs=costs,
            phases=[(one, delays(fleet.alerts, heard, one.from_, one.until)) for one in phases[1:]],
        )


def _stored(fleet: Fleet) -> int:
    return sum(count for count, _ in fleet.stored().values())


def _node(fleet: Fleet) -> None:
    fleet.cluster.kill(1)
    time.sleep(_NODE_AWAY_S)
    fleet.cluster.start(1)
    fleet.cluster.wait()
    time.sleep(10)


def _process(fleet: Fleet, name: str, start: Callable[[], None]) -> None:
    fleet.kill(name)
    time.sleep(_PROCESS_AWAY_S)
    start()
    time.sleep(10)


def _cut(fleet: Fleet) -> None:
    fleet.cut()
    time.sleep(_CUT_S)
    fleet.mend()
    # Boxes come back with full jitter of at most 30 s.
    time.sleep(30)


def told_call(folder: Path) -> Path:
    """The demo's call as its events."""
    made = folder / "call.jsonl"
    command = [sys.executable, "-m", "edge", "replay", "--json", "--fast", str(TESTS / "demo" / "call.wav")]
    made.write_text(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    return made


def table(outcomes: list[Outcome]) -> str:
    """Markdown."""
    lines = ["| boxes | events/s | told | lost | doubled | numbers missing | bytes an event | " + " | ".join(outcomes[0].costs) + " |"]
    lines.append("|---" * (7 + len(outcomes[0].costs)) + "|")
    for one in outcomes:
        costs = [f"{cost.cores:.2f} cores, {cost.memory_mb:,.0f} MB" for cost in one.costs.values()]
        counts = f"{one.told:,} | {one.lost} | {one.doubled} | {one.gaps}"
        lines.append(f"| {one.boxes:,} | {one.rate:.0f} | {counts} | {one.bytes_per_event:,.0f} | {' | '.join(costs)} |")
    lines += ["", "| boxes | while | alerts | median s | p95 s | latest s | untold |", "|---|---|---|---|---|---|---|"]
    for one in outcomes:
        for phase, found in one.phases:
            times = " | ".join("-" if value is None else f"{value:.2f}" for value in (found.median_s, found.p95_s, found.most_s))
            lines.append(f"| {one.boxes:,} | {phase.name} | {found.count} | {times} | {found.untold} |")
    return "\n".join(lines)


def main() -> int:
    """Exit code 0: nothing lost or doubled, and every alert told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, action="append", help="how many (may be repeated; default: 10, 100, 1000)")
    parser.add_argument("--faults", action="store_true", help="kill and cut parts in the last of them (default without --boxes)")
    parser.add_argument("--seconds", type=float, default=_STEADY_S, help=f"how long each runs undisturbed (default {_STEADY_S:.0f})")
    parser.add_argument("--plot", type=Path, help="also draw the growth to this PNG")
    args = parser.parse_args()
    sizes, outcomes = args.boxes or [10, 100, 1000], []
    with tempfile.TemporaryDirectory() as folder:
        calls = told_call(Path(folder))
        for size in sizes:
            print(f"{size:,} boxes, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
            faults = size == sizes[-1] and (args.faults or not args.boxes)
            outcomes.append(run(size, calls, faults=faults, steady_s=args.seconds))
            print(table(outcomes[-1:]), flush=True)
    print(table(outcomes))
    if args.plot:
        plot_growth(outcomes, args.plot)
    return 0 if all(not (one.lost or one.doubled or one.gaps or one.unsent) for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
