"""Who may bring calls: the tokens of a file, one a line, told from others without telling by the time how much of one was right."""

import hmac
import logging
from collections.abc import Iterable
from pathlib import Path

from edge.errors import ConfigError
from edge.files.text import unread
from edge.journal.reminders import Reminders

_log = logging.getLogger("undertone.listen")

# 16 characters of a random token are more than can be tried.
SHORTEST = 16
_LONGEST = 256


class Tokens:
    """A tokens file, read again when it changes: a token that is taken out counts no more for the next connection."""

    def __init__(self, path: Path | None) -> None:
        """None: everybody may. Raises ConfigError where the file cannot be taken."""
        self._path, self._reminders = path, Reminders()
        self._stamp: tuple[int, int] | None = None
        self._known: tuple[bytes, ...] = ()
        if path is not None:
            self._known, self._stamp = read(path), _stamp(path)

    def knows(self, offered: Iterable[str]) -> bool:
        """Whether one of `offered` is a token of the file. Each is compared with each, whole."""
        if self._path is None:
            return True
        self._read_again(self._path)
        found = False
        # What is longer than any token is cut behind it, and so is none.
        for one in offered:
            for token in self._known:
                found |= hmac.compare_digest(one[: _LONGEST + 1].encode(errors="replace"), token)
        return found

    def _read_again(self, path: Path) -> None:
        try:
            stamp = _stamp(path)
            if stamp != self._stamp:
                self._stamp = stamp
                self._known = read(path)
                self._reminders.all_over()
        except (OSError, ConfigError) as error:
            # A file that is being written, or was taken away: what was known counts on, and the next connection tries again.
            self._stamp = None
            if self._reminders.due(str(error)):
                _log.warning("listen.tokens_unread kept=old reason=%r", str(error))


def read(path: Path) -> tuple[bytes, ...]:
    """The tokens in the file at `path`, without empty lines and those that begin with #. Raises ConfigError."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(unread(error), path=path, remedy="give a text file of tokens that this user may read") from error
    tokens = [(number, line) for number, line in enumerate(lines, start=1) if line and not line.startswith("#")]
    if not tokens:
        raise ConfigError("holds no token", path=path, remedy="write one a line: openssl rand -hex 24")
    for number, token in tokens:
        if not SHORTEST <= len(token) <= _LONGEST or not token.isascii() or not token.isprintable() or " " in token:
            remedy = f"give {SHORTEST} to {_LONGEST} ASCII characters without spaces: openssl rand -hex 24"
            raise ConfigError("is no token", path=path, line=number, remedy=remedy)
    return tuple(token.encode() for _, token in tokens)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size
