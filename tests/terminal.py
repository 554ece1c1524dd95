"""A program on a terminal of its own, as somebody sits before it.

with Terminal([sys.executable, "-m", "edge", "setup"], env) as terminal:
    terminal.answer("site", "leeds")        # once it has asked for the site
    terminal.until("written")
    assert terminal.end() == 0
"""

import os
import pty
import select
import signal
import time
from types import TracebackType
from typing import Self

_AGAIN_S = 10.0
_PATIENCE_S = 90.0


class Terminal:
    """`screen` is all that it has written."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.screen, self._read = "", 0
        self._command, self._env = command, env
        self._code: int | None = None

    def __enter__(self) -> Self:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execvpe(self._command[0], self._command, self._env)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._fd)

    def until(self, asked: str) -> None:
        """Wait until it has written that, after whatever was waited for before."""
        give_up = time.monotonic() + _PATIENCE_S
        while (place := self.screen.find(asked, self._read)) < 0:
            assert time.monotonic() < give_up, f"'{asked}' did not come:\n{self.screen}"
            assert self._more(), f"it ended without '{asked}':\n{self.screen}"
        self._read = place + len(asked)

    def answer(self, asked: str, said: str = "") -> None:
        """Once it has asked that, say this."""
        self.until(asked)
        os.write(self._fd, f"{said}\n".encode())

    def interrupt(self, asked: str) -> None:
        """Once it has asked that, Ctrl-C; and again, as a person would: Python misses one that comes just as it begins to wait."""
        self.until(asked)
        for _ in range(3):
            os.write(self._fd, b"\x03")
            give_up = time.monotonic() + _AGAIN_S
            while time.monotonic() < give_up:
                if not self._more():
                    return

    def end(self) -> int:
        """Its exit code, once it has written everything."""
        while self._more():
            pass
        _, status = os.waitpid(self._pid, 0)
        self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def _more(self) -> bool:
        """Take what it has written; False where it has ended."""
        if not select.select([self._fd], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self._fd, 65_536)
        except OSError:
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)
