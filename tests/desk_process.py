"""The desk as a process of its own, as it runs in the field, in front of a real broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import httpx

from desk.config import load_desk_config
from desk.people.accounts import add_token, add_user
from desk.store.opening import open_database
from tests.ports import free_port

_START_S = 40.0
PASSWORD = "a long enough password"
# For httpx where no TLS is spoken: to load the machine's certificates costs 50 ms of a processor, for each client and each single request.
PLAIN = {"verify": False}


class DeskProcess:
    """`undertone-desk serve` in `folder`, with people ann (lead), ben (operator), ana (analyst); all have PASSWORD."""

    def __init__(
        self, folder: Path, broker_url: str, *, database: str = "desk.db", extra: str = "", mqtt: str = "", arguments: tuple[str, ...] = ()
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "desk.yaml"
        self.config.write_text(
            f'listen: 127.0.0.1:{self.port}\ndatabase: "{database}"\nmqtt: {{url: "{broker_url}", {mqtt}}}\n'
            f"timezone: Europe/London\n{extra}"
        )
        (folder / "password").write_text(PASSWORD)
        self._arguments = arguments
        self.process: subprocess.Popen[str] | None = None
        self._clients: list[httpx.Client] = []

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run undertone-desk with `arguments` and this desk's configuration."""
        command = [sys.executable, "-m", "desk", *arguments, "--config", str(self.config)]
        return subprocess.run(command, check=check, capture_output=True, text=True, timeout=120)

    def people(self) -> Self:
        """Add them, as `undertone-desk user add` does, which takes a second each to start."""
        where = load_desk_config(self.config).database
        if "://" in where:
            _add_people(where)
        else:
            Path(where).write_bytes(_file_with_people())
        return self

    def token(self, role: str = "operator", name: str = "program") -> str:
        """A new token."""
        database = open_database(load_desk_config(self.config).database)
        token = add_token(database, name, role)
        database.close()
        return token

    def api(self, role: str = "operator", name: str = "program") -> httpx.Client:
        """A program with a token."""
        return self.client({"Authorization": f"Bearer {self.token(role, name)}"})

    def client(self, headers: Mapping[str, str]) -> httpx.Client:
        """A client that is closed when the desk is."""
        client = httpx.Client(base_url=self.url, headers=dict(headers), timeout=20, **PLAIN)
        self._clients.append(client)
        return client

    def launch(self) -> Self:
        """Start it."""
        log = (self.folder / "desk.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "desk", "serve", "--config", str(self.config), *self._arguments],
            stdout=log,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        log.close()
        return self

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self.launch()
        assert self.process is not None
        until = time.monotonic() + _START_S
        while not self.healthy():
            assert self.process.poll() is None, (self.folder / "desk.log").read_text()
            assert time.monotonic() < until, "the desk did not start:\n" + (self.folder / "desk.log").read_text()
            time.sleep(0.05)
        return self

    def healthy(self) -> bool:
        """Whether it answers and has its broker."""
        try:
            return bool(httpx.get(f"{self.url}/healthz", timeout=5, **PLAIN).json()["ok"])
        except httpx.HTTPError:
            return False

    @property
    def cpu_s(self) -> float:
        """How much of a processor it has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self.people().start()

    def stop(self) -> None:
        """SIGTERM."""
        for client in self._clients:
            client.close()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _add_people(where: str) -> None:
    database = open_database(where)
    for name, role in (("ann", "lead"), ("ben", "operator"), ("ana", "analyst")):
        add_user(database, name, role, PASSWORD)
    database.close()


@cache
def _file_with_people() -> bytes:
    """A new desk's database: to hash a password takes long, as it must, and most tests start a desk."""
    with TemporaryDirectory() as folder:
        _add_people(f"{folder}/desk.db")
        return Path(folder, "desk.db").read_bytes()


def until(found: Callable[[], object], seconds: float = 20.0) -> object:
    """What `found` returns once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.03)
    return value
