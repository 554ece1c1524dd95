"""A real NATS server with JetStream and its MQTT gateway, on free loopback ports, in a folder of its own.

with Nats(tmp_path) as broker:
    ... broker.url ...          MQTT 3.1.1 (it speaks no MQTT 5)
    broker.kill()               as if the machine's power went
    broker.start()              back, on the same ports

`make system` brings Debian's; a newer one (`go install github.com/nats-io/nats-server/v2@latest`) is taken where it is found first.
"""

import json
import os
import shutil
import subprocess
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
    """The server: the one that UNDERTONE_NATS names, else one that Go has installed, else the system's; None without any."""
    go = Path(os.environ.get("GOBIN") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin")
    for found in (os.environ.get("UNDERTONE_NATS"), str(go / "nats-server"), "nats-server", "/usr/sbin/nats-server"):
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
    reason="NO NATS SERVER: install Debian's nats-server (make system), or go install github.com/nats-io/nats-server/v2@latest",
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
        self._config.write_text(json.dumps(config | dict(extra or {}), indent=1))

    def command(self) -> list[str]:
        return [str(program()), "-c", str(self._config)]
