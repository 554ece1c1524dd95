"""What became of the files that came over the bus.

One that comes twice (QoS 1 allows it, and a sender may ask again) is not installed twice, and a bad one not a second time.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.bundle.archive import replace_whole

_log = logging.getLogger("undertone.models")

# A sender asks again within days; a box gets a few models a month.
_KEPT = 16


class Outcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was installed as `name`, and why it was taken back, if it was."""

    sha256: str
    name: str
    version: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """The last outcomes, in a file of their own. Owned by one thread."""

    folder: Path

    def outcome(self, sha256: str) -> Outcome | None:
        """What became of the file; None if it was never installed here."""
        return next((one for one in reversed(self._read()) if one.sha256 == sha256), None)

    def remember(self, sha256: str, *, name: str, version: str) -> None:
        """It was installed."""
        self._write([*self._read(), Outcome(sha256=sha256, name=name, version=version)])

    def explain(self, sha256: str | None, reason: str | None) -> None:
        """It was taken back, and why."""
        self._write([msgspec.structs.replace(one, reason=reason) if one.sha256 == sha256 else one for one in self._read()])

    def _read(self) -> list[Outcome]:
        try:
            return msgspec.json.decode((self.folder / "outcomes.json").read_bytes(), type=list[Outcome])
        except (OSError, ValueError, RecursionError):
            return []  # the worst of it: a file that comes twice is checked twice

    def _write(self, outcomes: list[Outcome]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_whole(self.folder / "outcomes.json", msgspec.json.encode(outcomes[-_KEPT:]) + b"\n")
        except OSError as error:
            _log.warning("transfers.unwritten error=%s", error)
