"""A real NATS server with JetStream and its MQTT gateway, on free loopback ports, in a folder of its own.

with Nats(tmp_path) as broker:
    ... broker.url ...          MQTT 3.1.1 (it speaks no MQTT 5)
    broker.kill()               as if the machine's power went
    broker.start()              back, on the same ports

`make setup` brings Debian's and, where Go is, a newer one beside Python, which is taken first.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.server_process import ServerProcess

# A loaded two-core machine.
_START_S = 30.0
_STOP_S = 10.0


@cache
def program() -> str | None:
    """The server: the one that UNDERTONE_NATS names, else the one beside Python, else the system's; None without any."""
    beside = str(Path(sys.executable).with_name("nats-server"))
    for found in (os.environ.get("UNDERTONE_NATS"), beside, "nats-server", "/usr/sbin/nats-server"):
        if found and (there := shutil.which(found)):
            return there
    return None


@cache
def version() -> str:
    """Of that server."""
    return (
        subprocess.run([str(program()), "--version"], capture_output=True, text=True, check=True)
        .stdout.strip()
        .removeprefix("nats-server: ")
    )


needs_nats = pytest.mark.skipif(
    program() is None,
    reason="NO NATS SERVER: install Debian's nats-server (make system), or Go, and run make setup again",
)
# 2.9 holds an MQTT client neither to max_payload, nor to a deny that is narrower than what it subscribes to.
needs_limits = pytest.mark.skipif(
    program() is None or tuple(int(part) for part in version().removeprefix("v").split(".")[:2]) < (2, 15),
    reason="NATS OLDER THAN 2.15, WHICH DOES NOT KEEP TO ITS LIMITS: install Go, and run make setup again",
)


class Nats(ServerProcess):
    """nats-server with what a test asks for. `users`: user -> password; `extra`: more keys of its configuration, as JSON has them."""

    def __init__(self, folder: Path, *, users: Mapping[str, str] | None = None, extra: Mapping[str, object] | None = None) -> None:
        super().__init__("nats-server", ready="Server is ready", start_s=_START_S, stop_s=_STOP_S)
        self.folder = folder / "nats"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.client_port = free_port(), free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        config: dict[str, object] = {
            "server_name": "test",
            "host": "127.0.0.1",
            "port": self.client_port,
            "jetstream": {"store_dir": str(self.folder / "store")},
            "mqtt": {"host": "127.0.0.1", "port": self.port},
        }
        if users:
            config["authorization"] = {"users": [{"user": user, "password": password} for user, password in users.items()]}
        self._config = self.folder / "nats.conf"
        self._settings = config
        self._write(extra)

    def reload(self, *, extra: Mapping[str, object]) -> None:
        """While it runs: other keys in place of the first `extra`."""
        assert self._process is not None
        self._write(extra)
        self._process.send_signal(signal.SIGHUP)

    def _write(self, extra: Mapping[str, object] | None) -> None:
        self._config.write_text(json.dumps(self._settings | dict(extra or {}), indent=1))

    def command(self) -> list[str]:
        return [str(program()), "-c", str(self._config)]
