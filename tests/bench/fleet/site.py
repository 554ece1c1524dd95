"""All of a fleet on one machine: three NATS servers as shipped, PostgreSQL, two ingests split by site, two web processes, boxes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import msgspec
import psycopg

from desk.people.accounts import add_user
from desk.store.opening import open_database
from tests.bench.fleet.boxes import CallJob
from tests.bench.fleet.forwarder import ADDRESS
from tests.bench.fleet.measures import Browser
from tests.bench.fleet.round_robin import ADDRESSES
from tests.desk_process import PASSWORD, until
from tests.nats_cluster import NatsCluster
from tests.ports import free_port
from tests.postgres import Postgres

SITES = [f"site-{number}" for number in range(10)]
# Each has eight open files, and paho's select() takes none above the 1,023rd: a box that gets one connects no more.
PER_PROCESS = 100


def names(count: int) -> list[str]:
    """<site>/<device> of so many boxes, over the ten sites by turns."""
    return [f"{SITES[number % len(SITES)]}/desk-{number:04}" for number in range(count)]


class Fleet:
    """See above. Half of the boxes reach the cluster through a forwarder, which can be cut."""

    def __init__(self, folder: Path, boxes: int) -> None:
        self._folder, self._names, self._stack = folder, names(boxes), ExitStack()
        self.alerts: dict[str, float] = {}
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.browsers: list[Browser] = []
        self._boxes: list[subprocess.Popen[str]] = []
        self._results: list[dict[str, object]] = []

    def __enter__(self) -> Self:
        self.cluster = self._stack.enter_context(NatsCluster(self._folder, [*self._names, "recovery"]))
        self.postgres = self._stack.enter_context(Postgres(durable=True))
        self.database = self.postgres.url()
        self._nodes = ",".join(self.cluster.hosts)
        self._start_forwarder()
        self._web = [free_port(), free_port()]
        database = open_database(self.database)
        add_user(database, "ann", "lead", PASSWORD)
        database.close()
        for number in (0, 1):
            self.start_ingest(number)
            self.start_web(number)
        for number, port in enumerate(self._web):
            until(lambda number=number: self.well(number), 90)
            self.browsers.append(Browser(f"http://127.0.0.1:{port}", "ann", PASSWORD))
            self.browsers[-1].start()
        # Three copies of each consumer are elected; a new session hears nothing before.
        until(lambda: self.cluster.consumers() >= len(SITES), 120)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for browser in self.browsers:
            browser.stop()
        for process in [*self._boxes, *self.processes.values()]:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self._stack.close()

    def start_ingest(self, number: int) -> None:
        """The one of half of the sites."""
        topics = [f"undertone/v1/{site}/#" for site in SITES[number::2]]
        mqtt = {
            "url": self.cluster.url("localhost"), "ca": str(self.cluster.authority.ca), "username": "recovery", "topics": topics,
            "password_file": str(self.cluster.password_file), "protocol": "3.1.1", "client_id": f"undertone-desk-{number}",
        }  # fmt: skip
        self._serve(f"ingest-{number}", mqtt, "--only", "ingest")

    def start_web(self, number: int) -> None:
        """One of two on the same database."""
        listen = f"127.0.0.1:{self._web[number]}"
        self._serve(f"web-{number}", {"url": self.cluster.url("localhost")}, "--only", "web", "--listen", listen)

    def well(self, number: int) -> bool:
        """Whether web process `number` says that database and broker are."""
        try:
            return bool(httpx.get(f"http://127.0.0.1:{self._web[number]}/healthz", timeout=5).json()["ok"])
        except httpx.HTTPError:
            return False

    def start_boxes(self, calls: Path) -> None:
        """All of them; returns once each process has begun to connect its own."""
        halves = (self._names[::2], self._names[1::2])
        for half, addresses in zip(halves, (self._nodes, ADDRESS), strict=True):
            for first in range(0, len(half), PER_PROCESS):
                self._boxes.append(self._start_boxes(half[first : first + PER_PROCESS], addresses, calls))
        for process in self._boxes:
            threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def stop_boxes(self) -> tuple[dict[str, int], int]:
        """Let calls rest and outboxes run empty: events told by source, and rows that stayed."""
        for process in self._boxes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        until(lambda: len(self._results) == len(self._boxes), 240)
        told = {source: count for result in self._results for source, count in result["told"].items()}
        return told, sum(result["unsent"] for result in self._results)

    def cut(self) -> None:
        """The line of half of the boxes is dead: nothing is closed, nothing comes through."""
        self.processes["forwarder"].send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        """It is back."""
        self.processes["forwarder"].send_signal(signal.SIGCONT)

    def stored(self) -> dict[str, tuple[int, int]]:
        """By source, counted events in the desk's log: how many, and how many numbers they leave out up to the highest of each topic."""
        query = (
            "SELECT source, sum(n), sum(gaps) FROM (SELECT source, topic, count(*) AS n, max(sequence) - count(DISTINCT sequence) AS gaps"
            " FROM events WHERE sequence IS NOT NULL GROUP BY source, topic) AS topics GROUP BY source"
        )
        with psycopg.connect(self.database) as connection:
            return {source: (int(n), int(gaps)) for source, n, gaps in connection.execute(query)}

    def first_heard(self) -> dict[str, float]:
        """Call -> when the first browser heard of its case."""
        with psycopg.connect(self.database) as connection:
            calls = {str(number): call for number, call in connection.execute("SELECT id, call FROM cases")}
        heard: dict[str, float] = {}
        for browser in self.browsers:
            for key, at in browser.heard.copy().items():
                if (call := calls.get(str(key))) is not None:
                    heard[call] = min(at, heard.get(call, at))
        return heard

    def groups(self) -> dict[str, list[int]]:
        """Processes by what they are."""
        pids = {name: process.pid for name, process in self.processes.items()}
        return {
            "NATS, three servers": [self.cluster.pid(node) for node in self.cluster.running],
            "PostgreSQL": [self.postgres.pid],
            "ingest, two": [pid for name, pid in pids.items() if name.startswith("ingest")],
            "web, two": [pid for name, pid in pids.items() if name.startswith("web")],
            "boxes (no sound)": [process.pid for process in self._boxes],
        }

    def kill(self, name: str) -> None:
        """kill -9 of a process of ours."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def _start_forwarder(self) -> None:
        command = [sys.executable, "-m", "tests.bench.fleet.forwarder", str(self.cluster.port), str(self.cluster.port), self._nodes]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        self.processes["forwarder"] = process

    def _serve(self, name: str, mqtt: dict[str, object], *arguments: str) -> None:
        config = self._folder / f"{name}.yaml"
        config.write_text(json.dumps({"database": self.database, "mqtt": mqtt, "listen": "127.0.0.1:1"}))
        command = [sys.executable, "-m", "tests.bench.fleet.round_robin", "desk", "serve", "--config", str(config), *arguments]
        with (self._folder / f"{name}.log").open("a") as log:
            environment = os.environ | {ADDRESSES: self._nodes}
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environment)

    def _start_boxes(self, mine: Sequence[str], addresses: str, calls: Path) -> subprocess.Popen[str]:
        number = len(self._boxes)
        folder = self._folder / f"boxes-{number}"
        folder.mkdir()
        job = CallJob(
            folder=str(folder), url=self.cluster.url("localhost"), ca=str(self.cluster.authority.ca), boxes=list(mine), calls=str(calls),
            password_file=str(self.cluster.password_file), seed=number,
        )  # fmt: skip
        (folder / "job.json").write_bytes(msgspec.json.encode(job))
        with (folder / "log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.bench.fleet.boxes", str(folder / "job.json")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {ADDRESSES: addresses},
            )  # fmt: skip

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in _lines(process):
            if line.startswith("alert "):
                _, call, at = line.split()
                self.alerts[call] = float(at)
            elif line.startswith("{"):
                self._results.append(json.loads(line))


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout
