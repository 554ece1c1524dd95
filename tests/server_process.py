"""A server that tests start and kill: its log is read as it comes, and it is waited for until it says that it serves."""

import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class ServerProcess:
    """`start` runs `command()` and returns once a line of its log ends in `ready`. `log` has all lines of all starts."""

    def __init__(self, name: str, *, ready: str, start_s: float, stop_s: float) -> None:
        self.log: list[str] = []
        self._name, self._ready, self._start_s, self._stop_s = name, ready, start_s, stop_s
        self._process: subprocess.Popen[str] | None = None
        self._drain: threading.Thread | None = None

    def command(self) -> Sequence[str]:
        """Program and arguments."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it serves."""
        assert self._process is None, "already running"
        ready = threading.Event()
        self._process = subprocess.Popen(self.command(), stderr=subprocess.PIPE, text=True)
        self._drain = threading.Thread(target=self._read_log, args=(self._process, ready), daemon=True)
        self._drain.start()
        assert ready.wait(self._start_s), f"{self._name} did not start:\n" + "\n".join(self.log)
        assert self._process.poll() is None, f"{self._name} ended at once:\n" + "\n".join(self.log)

    def stop(self) -> None:
        """SIGTERM, if it runs: mosquitto writes its store and sends no wills."""
        if self._process is not None:
            self._process.terminate()
            self._reap()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def _reap(self) -> None:
        assert self._process is not None
        assert self._drain is not None
        try:
            self._process.wait(self._stop_s)
        except subprocess.TimeoutExpired:
            # mosquitto 2.0.11 can wait for ever for a client that never finishes its TLS handshake.
            self._process.kill()
            self._process.wait()
        self._drain.join()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._process = None

    def _read_log(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(line.rstrip())
            if line.rstrip().endswith(self._ready):
                ready.set()
        ready.set()
