"""A signed voice to a fleet: `undertone-convert push` over three NATS servers, canaries first; what it took, and what stops it.

  python -m tests.bench.fleet.rollout                     10, 100 and 1,000 boxes of ten sites
  python -m tests.bench.fleet.rollout --boxes 100 --show  so many alone, and what the command printed

In a row, over the same boxes: a voice signed by a stranger to all at once; one that is calibrated wrong; a good one; a newer one while a
node dies. Boxes are real but for sound (tests.bench.fleet.model_boxes); a probation is two calls of made-up voices, on the canaries alone.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from convert.fleet.fleet import Fleet
from edge.config import MqttConfig
from edge.values import ModelKind
from tests.bench.fleet.measures import Cost, Meter, loopback_bytes
from tests.bench.fleet.model_boxes import ModelJob
from tests.bench.fleet.round_robin import ADDRESSES
from tests.bench.fleet.site import PER_PROCESS, names
from tests.nats_cluster import NatsCluster
from tests.nets import keys, tar, too_sure, voice
from tests.paths import ROOT

_PROCESSES = 4
_NODE_AWAY_S = 20.0
_KNOWN_S, _LOOK_AGAIN_S = 400.0, 3.0
# Reading how much memory processes share takes the machine a while.
_LOOK_S = 10.0
_TOGETHER = ("--canary", "0", "--wave", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Of one rollout. Seconds are from its start; `stages`: box -> the last that it told."""

    name: str
    boxes: int
    code: int
    seconds: float
    canaries_s: float | None
    installed_s: float | None
    stages: Counter[str]
    untouched: int
    serving: Counter[str]
    reasons: Counter[str]
    bytes: int
    costs: dict[str, Cost]
    printed: str


class Boxes:
    """`count` of them in a few processes, on a cluster. `canaries` of them have calls."""

    def __init__(self, folder: Path, count: int, canaries: int, processes: int = _PROCESSES) -> None:
        self._folder, self._names, self.canaries, self._share = folder, names(count), canaries, min(-(-count // processes), PER_PROCESS)
        self._stack = ExitStack()
        self.private, self._public, _ = keys(folder)
        self.processes: list[subprocess.Popen[str]] = []
        # How many the broker knew nothing of at first, and how long it took until it knew all.
        self.unknown, self.known_s = 0, 0.0

    def __enter__(self) -> Self:
        try:
            self.cluster = self._stack.enter_context(NatsCluster(self._folder, [*self._names, "technician"]))
            # The first to come has NATS make its streams; a cluster that is in use has them.
            self._known(0)
            for first in range(0, len(self._names), self._share):
                self._start(self._names[first : first + self._share])
            for process in self.processes:
                assert process.stdout.readline() == "ready\n"
            self._wait_until_known()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait(120)
            process.stdout.close()
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """In which `localhost` is the three nodes."""
        return os.environ | {ADDRESSES: ",".join(self.cluster.hosts), "COLUMNS": "150"}

    def standing(self) -> dict[str, dict]:
        """How each box stands, and what it told since it was asked last."""
        for process in self.processes:
            process.stdin.write("\n")
            process.stdin.flush()
        found: dict[str, dict] = {}
        for process in self.processes:
            found |= json.loads(process.stdout.readline())
        return found

    def push(self, bundle: Path, *more: str) -> subprocess.Popen[str]:
        """The command, begun."""
        command = [sys.executable, "-m", "tests.bench.fleet.round_robin", "convert", "push", str(bundle), "--site", "*", *more]
        command += ["--url", self.cluster.url("localhost"), "--ca", str(self.cluster.authority.ca), "--protocol", "3.1.1"]
        command += ["--username", "technician", "--password-file", str(self.cluster.password_file)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment, cwd=ROOT)

    def _start(self, mine: Sequence[str]) -> None:
        folder = self._folder / f"boxes-{len(self.processes)}"
        folder.mkdir()
        job = ModelJob(
            folder=str(folder), url=self.cluster.url("localhost"), ca=str(self.cluster.authority.ca), boxes=list(mine),
            password_file=str(self.cluster.password_file), public=str(self._public), talking=self._names[: self.canaries],
        )  # fmt: skip
        (folder / "job.json").write_bytes(msgspec.json.encode(job))
        command = [sys.executable, "-m", "tests.bench.fleet.model_boxes", str(folder / "job.json")]
        with (folder / "log").open("w") as log:
            self.processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment)
            )

    def _wait_until_known(self) -> None:
        """NATS loses a retained message here and there while everybody comes; a box tells it once more within five minutes."""
        began, known = time.monotonic(), 0
        while known < len(self._names):
            assert time.monotonic() < began + _KNOWN_S, f"{known} are known"
            # What is heard live need not be retained, nor at each node at once: not at once, and each is asked.
            time.sleep(_LOOK_AGAIN_S)
            known = min(self._known(node) for node in range(len(self.cluster.hosts)))
            self.unknown = self.unknown or len(self._names) - known
        self.known_s = time.monotonic() - began

    def _known(self, node: int) -> int:
        """How many boxes it tells a newcomer of."""
        mqtt = MqttConfig(
            url=self.cluster.url(self.cluster.hosts[node]), ca=str(self.cluster.authority.ca), protocol="3.1.1",
            username="technician", password_file=str(self.cluster.password_file),
        )  # fmt: skip
        fleet = Fleet(mqtt, ["*"], ModelKind.VOICE, client_id=f"undertone-push-first-{node}")
        with closing(fleet):
            fleet.open()
            return sum(box.state == "online" and box.serves is not None for box in fleet.boxes.values())


def roll_out(boxes: Boxes, name: str, bundle: Path, *more: str, meanwhile: Callable[[], None] = lambda: None) -> Found:
    """One rollout; `meanwhile` runs in a thread of its own once the canaries have kept it."""
    boxes.standing()
    groups = {
        "NATS, three servers": [boxes.cluster.pid(node) for node in boxes.cluster.running],
        "boxes (no sound)": [process.pid for process in boxes.processes],
    }
    process = boxes.push(bundle, *more)
    meter, bytes_, began = Meter(groups | {"push": [process.pid]}), loopback_bytes(), time.monotonic()
    costs: dict[str, Cost] = {}
    watching = threading.Thread(target=lambda: costs.update(_watched(process, meter)))
    watching.start()
    printed, aside = [], threading.Thread(target=meanwhile)
    for line in process.stdout:
        printed.append(line)
        if sum(" kept" in one for one in printed) == boxes.canaries and not aside.ident:
            aside.start()
    process.stdout.close()
    code, seconds = process.wait(), time.monotonic() - began
    watching.join()
    if aside.ident:
        aside.join()
    bytes_ = loopback_bytes() - bytes_
    # What a box tells goes to the outbox first and to the command later: its own clock is what counts.
    stood = boxes.standing()
    told = {box: one["told"] for box, one in stood.items()}
    kept = [at for one in told.values() for action, at, _ in one if action in {"kept", "rolled_back"}]
    installed = [at for one in told.values() for action, at, _ in one if action == "installed"]
    return Found(
        name=name, boxes=len(stood), code=code, seconds=seconds, printed="".join(printed), bytes=bytes_, costs=costs,
        canaries_s=max(kept) - began if kept else None,
        installed_s=max(installed) - began if installed else None,
        stages=Counter(one[-1][0] for one in told.values() if one),
        untouched=sum(not one for one in told.values()),
        serving=Counter(one["serves"] for one in stood.values()),
        reasons=Counter(reason for one in told.values() for action, _, reason in one if action in {"refused", "rolled_back"}),
    )  # fmt: skip


def _watched(process: subprocess.Popen[str], meter: Meter) -> dict[str, Cost]:
    """While the command runs: processor time, and the most memory that was seen."""
    costs: dict[str, Cost] = {}
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_S)
        for name, now in meter.end().items():
            before = costs.get(name, now)
            # One that has just ended is not there any more.
            costs[name] = Cost(cores=now.cores or before.cores, memory_mb=max(now.memory_mb, before.memory_mb))
    return costs


def run(count: int, canaries: int, show: Callable[[Found], None]) -> list[Found]:
    """All four, over the same boxes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "stranger").mkdir()
        stranger, _, _ = keys(folder / "stranger")
        found: list[Found] = []
        with Boxes(folder, count, canaries) as boxes:
            print(f"{boxes.unknown} of {count} were not known to the broker at first, none after {boxes.known_s:.0f} s", flush=True)

            def one(*given, **more) -> None:
                found.append(roll_out(boxes, *given, **more))
                show(found[-1])

            first = ("--canary", str(canaries))
            one("signed by a stranger", tar(voice(folder / "foreign", "9.0.0", stranger)), *_TOGETHER)
            one("calibrated wrong", tar(voice(folder / "wrong", "9.1.0", boxes.private, change=too_sure)), *first)
            one("good", tar(voice(folder / "good", "9.2.0", boxes.private)), *first)
            one("good, a node dies", tar(voice(folder / "newer", "9.3.0", boxes.private)), *first, meanwhile=lambda: _node(boxes.cluster))
        return found


def _node(cluster: NatsCluster) -> None:
    cluster.kill(1)
    time.sleep(_NODE_AWAY_S)
    cluster.start(1)
    cluster.wait()


def told(found: Found) -> str:
    """A paragraph."""
    costs = "; ".join(f"{name} {cost.cores:.2f} cores, {cost.memory_mb:,.0f} MB" for name, cost in found.costs.items())
    when = ", ".join(
        f"{what} after {at:.1f} s" for what, at in (("last verdict", found.canaries_s), ("last installed", found.installed_s)) if at
    )
    return (
        f"{found.boxes:,} boxes, {found.name}: exit code {found.code} after {found.seconds:.1f} s; {when or 'nothing installed'}\n"
        f"  told last: {dict(found.stages)}, untouched {found.untouched}; serving {dict(found.serving)}\n"
        f"  {found.bytes / 1e6:,.0f} MB over the loopback; {costs}\n"
        + "".join(f"  {n} x {why}\n" for why, n in found.reasons.most_common(3))
    )


def main() -> int:
    """Exit code 0: each ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, action="append", help="how many (may be repeated; default: 10, 100, 1000)")
    parser.add_argument("--canaries", type=int, default=10, help="how many of them go first (default 10: one a site)")
    parser.add_argument("--show", action="store_true", help="also what the command printed")
    args = parser.parse_args()

    def show(found: Found) -> None:
        print(told(found), flush=True)
        if args.show:
            print(found.printed, flush=True)

    good = True
    for count in args.boxes or [10, 100, 1000]:
        print(f"{count:,} boxes, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        rolled = run(count, min(args.canaries, count // 2), show)
        good = good and [one.code for one in rolled] == [1, 1, 0, 0]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
