"""A real PostgreSQL on a free loopback port, in a folder of its own."""

import getpass
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest

from tests.ports import free_port


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.fail("PostgreSQL is not installed; run `make system` (Debian package postgresql)")
    return found[-1].parent


class Postgres:
    """Started by the tests, for them alone; `url()` makes a new, empty database."""

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        # Its socket's path must be short, and where root runs the tests, the server runs as its own user.
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._programs, self._port, self._numbers = _programs(), free_port(), itertools.count(1)
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._user = "postgres" if self._as else getpass.getuser()

    def __enter__(self) -> Self:
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-D", str(self._folder / "data"), "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """As its machine's power goes."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def start(self) -> None:
        """Back, on the same port. Unless `durable`, it writes to no disk in earnest: what is tested is the desk."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1{'' if self._durable else ' -c fsync=off'}"
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start")

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def url(self) -> str:
        """A new, empty place: a schema of its own, which is made in a moment where a database takes a second."""
        name = f"desk{next(self._numbers)}"
        address = f"postgresql://{self._user}@127.0.0.1:{self._port}/postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{address}?options=-csearch_path%3D{name}"

    def _run(self, program: str, *arguments: str) -> None:
        # A server that was started keeps what it inherits open: nobody waits for a pipe of it.
        out = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        command = [*self._as, str(self._programs / program), *arguments]
        done = subprocess.run(command, stdout=out, stderr=out, check=False, cwd="/")
        assert done.returncode == 0, (program, done.stderr)
