"""`undertone run` as a service manager would run it: its log is read, its status file watched, it ends with the test.

with Service(tmp_path, CONFIG_YAML) as box:
    box.until(lambda status: status["state"]["state"] == "degraded")
"""

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.telling import until

# Loading the models on a machine with ten times the load it can bear.
_START_S = 120.0


class Service:
    """One box in `folder`: undertone.yaml, state. `more` is its configuration, without state_dir. `program`: what runs it."""

    def __init__(self, folder: Path, more: str, *, env: dict[str, str] | None = None, program: tuple[str, ...] = ("-m", "edge")) -> None:
        self.config, self.state_dir = folder / "undertone.yaml", folder / "state"
        self.log: list[str] = []
        self._env, self._program = env, program
        self._drain: threading.Thread | None = None
        self.configure(more)

    def configure(self, more: str) -> None:
        """Write the configuration."""
        self.config.write_text(f"state_dir: {self.state_dir}\n{more}", encoding="utf-8")

    def __enter__(self) -> Self:
        self.start()
        try:
            self.until(lambda _status: True, _START_S)
        except BaseException:
            self.process.kill()
            self.wait()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.wait()
        # What one that was killed left in memory.
        place = self.state_dir / "status.json"
        if place.is_symlink():
            shutil.rmtree(place.readlink().parent, ignore_errors=True)

    def start(self) -> None:
        """Start it; returns at once."""
        command = [sys.executable, *self._program, "run", "--config", str(self.config)]
        self.process = subprocess.Popen(command, env=self._env, stderr=subprocess.PIPE, text=True)
        self._drain = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._drain.start()

    def wait(self, seconds: float = 60.0) -> int:
        """Its exit code, once it has ended and its log is read."""
        code = self.process.wait(seconds)
        if self._drain is not None:
            self._drain.join()
        return code

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def reload(self) -> None:
        """As `systemctl reload` does."""
        self.process.send_signal(signal.SIGHUP)

    @property
    def status(self) -> dict[str, Any]:
        """What it last wrote for `undertone status`; {} before that."""
        try:
            return json.loads((self.state_dir / "status.json").read_bytes())
        except FileNotFoundError:
            return {}

    @property
    def reasons(self) -> list[str]:
        """What it says is wrong."""
        return self.status["state"]["reasons"]

    def until(self, so: Callable[[dict[str, Any]], object], patience_s: float = 60.0) -> None:
        """Return once the status is `so`; fails where the box has died, saying what it said."""

        def look() -> bool:
            assert self.process.poll() is None, "the box ended:\n" + "\n".join(self.log)
            return bool(self.status and so(self.status))

        try:
            until(look, patience_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status}\n" + "\n".join(self.log[-20:])) from error

    def until_logged(self, part: str, patience_s: float = 60.0) -> str:
        """The first line of the log with `part` in it, once there is one."""
        until(lambda: any(part in line for line in self.log), patience_s)
        return next(line for line in self.log if part in line)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.log.append(line.rstrip())
