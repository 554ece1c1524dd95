"""The configuration as setup reads and writes it: whole or not at all, and what was there before beside it."""

import signal
import threading
from pathlib import Path
from typing import Any

from edge.config import load_config
from edge.errors import ConfigError, StoreError
from edge.files.durable import how_to_write, replace_whole
from edge.files.yamlfile import read_yaml, yaml_text
from edge.setup.answers import PASSWORD

_HEAD = """\
# Written by `undertone setup`, which may be given again: what stands here is what it offers. Every key: docs/configuration.md.
# After a change: undertone doctor --config {path}, then systemctl restart undertone
"""


def read(path: Path) -> dict[str, Any]:
    """What is there, {} where nothing is. Raises ConfigError for a file that no box could use: it is not written over."""
    if not path.exists() or (raw := read_yaml(path)) == {}:
        return {}
    load_config(path)
    return raw if isinstance(raw, dict) else {}


def write(path: Path, raw: dict[str, Any], password: str | None) -> bool:
    """Put `raw` there, and the password beside it, once a box has been found to take it; False where nothing would change.

    What was there is kept as `NAME.before`. Raises ConfigError, StoreError.
    """
    text = (_HEAD.format(path=path) + yaml_text(raw)).encode()
    old = path.read_bytes() if path.exists() else None
    if password is None and old is not None and read_yaml(path) == raw:
        return False
    trial = path.with_name(f".{path.name}.trial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            trial.write_bytes(text)
            load_config(trial)
        except ConfigError as error:
            raise error.moved(trial, path) from error
        finally:
            trial.unlink(missing_ok=True)
        # Ctrl-C waits until both are there: a new password with the old configuration is a box that the broker refuses.
        with _undisturbed():
            if password is not None:
                replace_whole(path.with_name(PASSWORD), f"{password}\n".encode(), mode=0o600)
            if old is not None:
                replace_whole(path.with_name(f"{path.name}.before"), old)
            # The service is another user.
            replace_whole(path, text, mode=0o644)
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", path=path, remedy=how_to_write(error)) from error
    return True


class _undisturbed:  # noqa: N801 (used as a word)
    """Ctrl-C waits until it is over."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
