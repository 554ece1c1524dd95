"""A real mosquitto on a free loopback port, in a folder of its own. It can be killed and started again on the same port.

with Broker(tmp_path) as broker:
    ... broker.url ...
    broker.kill()      # as if the machine's power went
    broker.start()     # back, on the same port
"""

import getpass
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.certificates import Authority, Pair
from tests.ports import free_port
from tests.server_process import ServerProcess

# A loaded two-core machine once took 3 s to start it.
_START_S = 30.0
_STOP_S = 5.0


class Broker(ServerProcess):
    """mosquitto with what a test asks for. `passwords`: user -> password; `acl`: text of an ACL file; `tls`: signed by
    `authority`, asking boxes for a certificate of theirs where `mutual`; `persistent`: keeps sessions and retained messages
    over stop and start; `extra`: more configuration lines.
    """

    def __init__(
        self,
        folder: Path,
        *,
        passwords: Mapping[str, str] | None = None,
        acl: str | None = None,
        tls: bool = False,
        mutual: bool = False,
        persistent: bool = False,
        extra: str = "",
    ) -> None:
        super().__init__("mosquitto", ready="running", start_s=_START_S, stop_s=_STOP_S)
        self.folder = folder / "mosquitto"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{self.port}"
        self._config = self.folder / "mosquitto.conf"
        self.authority = Authority(self.folder / "tls") if tls else None
        self._config.write_text("\n".join([*self._lines(passwords, acl, persistent=persistent), *self._tls(mutual=mutual), extra]) + "\n")

    def client_pair(self, name: str) -> Pair:
        """A certificate for a client called `name`, signed by this broker's authority."""
        assert self.authority is not None
        return self.authority.issue(name)

    def command(self) -> list[str]:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.fail("mosquitto is not installed; run `make system` (Debian package mosquitto)")
        return [program, "-c", str(self._config)]

    def restart(self) -> None:
        """kill -9 and start again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """kill -STOP: connections stay open and nobody answers, as behind a dead link."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """kill -CONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _lines(self, passwords: Mapping[str, str] | None, acl: str | None, *, persistent: bool) -> list[str]:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "socket_domain ipv4",
            # Where root starts it, it would become user mosquitto, who cannot read this folder.
            f"user {getpass.getuser()}",
            "log_dest stderr",
            "log_type all",
            # A subscriber that is slower than a test publishes must lose nothing (the default queue is 1,000).
            "max_queued_messages 0",
            f"allow_anonymous {'false' if passwords else 'true'}",
        ]
        if persistent:
            lines += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 1", "autosave_on_changes true"]
        if passwords:
            file = self.folder / "passwords"
            file.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()))
            file.chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True, capture_output=True)
            lines.append(f"password_file {file}")
        if acl is not None:
            (self.folder / "acl").write_text(acl)
            (self.folder / "acl").chmod(0o600)
            lines.append(f"acl_file {self.folder}/acl")
        return lines

    def _tls(self, *, mutual: bool) -> list[str]:
        if self.authority is None:
            return []
        pair = self.authority.issue("broker")
        lines = [f"cafile {self.authority.ca}", f"certfile {pair.cert}", f"keyfile {pair.key}"]
        return [*lines, "require_certificate true", "use_identity_as_username true"] if mutual else lines
