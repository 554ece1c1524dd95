"""A cluster of NATS servers with their MQTT gateway on free loopback ports, run from systemd/nats as shipped.

with NatsCluster(folder, ["leeds/desk-014", "recovery"]) as cluster:
    ... cluster.url(), cluster.authority.ca, cluster.password_file ...
    cluster.kill(1)      # as if the machine's power went
    cluster.start(1)     # back, with its disk
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.certificates import Authority
from tests.nats import program
from tests.paths import ROOT
from tests.ports import free_port

SHIPPED = ROOT / "systemd" / "nats"
# Random where it matters; here the same for everybody, hashed once (a hash takes bcrypt 2 ms, a thousand of them 2 s).
PASSWORD = "the same for every user of a test"
# Three servers elect a leader for JetStream; a loaded two-core machine took 8 s.
_READY_S = 60.0
_NODES = 3


class NatsCluster:
    """`names` are its users, as users.sh takes them; all have PASSWORD, which is in `password_file`."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        if program() is None:
            pytest.fail("nats-server is not installed; run `make system` (Debian package nats-server)")
        self.folder = folder / "nats"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(self.folder / "tls")
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD)
        self.password_file.chmod(0o600)
        # One port on as many loopback addresses: what one name with several addresses is elsewhere.
        self.port, self.hosts = free_port(), [f"127.0.0.{node + 1}" for node in range(_NODES)]
        self._routes, self._monitors, self._own = ([free_port() for _ in range(_NODES)] for _ in range(3))
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self._pair = self.authority.issue("127.0.0.1")
        shutil.copy(SHIPPED / "undertone.conf", self.folder)
        self.add_users(names)

    def add_users(self, names: Sequence[str]) -> None:
        """Write users.conf anew, by the shipped script."""
        hashed = subprocess.run(["mkpasswd", "--method=bcrypt", "--rounds=5", PASSWORD], check=True, capture_output=True, text=True)
        listed = self.folder / "names"
        listed.write_text("".join(f"{name} {hashed.stdout.strip()}\n" for name in names))
        made = subprocess.run(["sh", SHIPPED / "users.sh", listed], check=True, capture_output=True, text=True)
        (self.folder / "users.conf").write_text(made.stdout)

    def url(self, host: str = "127.0.0.1") -> str:
        """Where the node at `host` takes MQTT."""
        return f"mqtts://{host}:{self.port}"

    def start(self, node: int) -> None:
        """Start one."""
        env = {
            "NODE": "abc"[node],
            "LISTEN": f"127.0.0.1:{self._own[node]}",
            "MONITOR": f"127.0.0.1:{self._monitors[node]}",
            "STORE": json.dumps(str(self.folder / f"store-{node}")),
            "MQTT_LISTEN": f"{self.hosts[node]}:{self.port}",
            "CLUSTER_LISTEN": f"127.0.0.1:{self._routes[node]}",
            "ROUTES": json.dumps([f"tls://127.0.0.1:{port}" for port in self._routes]),
            "CA": json.dumps(str(self.authority.ca)),
            "CERT": json.dumps(str(self._pair.cert)),
            "KEY": json.dumps(str(self._pair.key)),
        }
        with (self.folder / f"node-{node}.log").open("ab") as log:
            self.running[node] = subprocess.Popen(
                [str(program()), "-c", str(self.folder / "undertone.conf")], env=os.environ | env, stdout=log, stderr=log
            )

    def kill(self, node: int) -> None:
        """kill -9."""
        process = self.running.pop(node)
        process.kill()
        process.wait()

    def wait(self) -> None:
        """Until each that runs says that it and its JetStream are well."""
        until = time.monotonic() + _READY_S
        for node in self.running:
            while not self._well(node):
                may_wait = self.running[node].poll() is None and time.monotonic() < until
                assert may_wait, f"node {node}:\n" + (self.folder / f"node-{node}.log").read_text()[-2000:]
                time.sleep(0.1)

    def consumers(self) -> int:
        """How many durable subscriptions JetStream keeps, as the first node that runs knows."""
        monitor = self._monitors[min(self.running)]
        with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/jsz", timeout=5) as answer:
            return int(json.load(answer)["consumers"])

    def pid(self, node: int) -> int:
        """The process of `node`."""
        return self.running[node].pid

    def _well(self, node: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._monitors[node]}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def __enter__(self) -> Self:
        try:
            for node in range(_NODES):
                self.start(node)
            self.wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait()
