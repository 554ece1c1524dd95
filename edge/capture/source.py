"""Where a line's sound comes from: a device, a command, a recording. Each is a child process that may hang, crash and vanish."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from edge.capture import wavfile
from edge.capture.packets import Parser, RawDecoder
from edge.capture.process import ChildSource
from edge.config import SourceConfig
from edge.errors import Problem, SourceError
from edge.values import SAMPLE_RATE, Block, ClosedBy, SourceState


class Source(Protocol):
    """A line's sound. `closed_by` is what its end, once it has ended, means for a call."""

    state: SourceState
    closed_by: ClosedBy

    @property
    def problem(self) -> Problem | None:
        """Why it is stalled or absent; None where it is neither."""

    def blocks(self) -> Iterator[Block]:
        """The sound as it comes; one caller, once. Raises SourceError where a recording cannot be heard."""

    def close(self) -> None:
        """End it, from any thread: `blocks` returns within a second."""


def open_source(config: SourceConfig, channels: int, on_state: Callable[[SourceState], None]) -> Source:
    """The source that `config` names; not for one that listens (edge.service.trunk).

    `on_state` is called with each new state, from the thread that takes the blocks. Raises SourceError at once where a recording cannot
    be heard or a command does not exist; a device may come later.
    """
    what = config.file or (config.command[0] if config.command else config.device or "auto")
    child = [sys.executable, "-m", "edge.capture.child"]
    if config.file is not None:
        path = Path(config.file)
        have = wavfile.channel_count(path)
        if have != channels:
            raise SourceError(f"has {have} channel(s), the line has {channels}", path=path, remedy="set channels to fit it")
        command = [*child, "file", str(path), "--channels", str(channels), *([] if config.realtime else ["--fast"])]
        return ChildSource(what=what, command=command, decoder=Parser, on_state=on_state, stall_s=config.stall_s, live=False)
    if config.command is not None:
        if shutil.which(config.command[0]) is None:
            raise SourceError("not found", where=f"command '{config.command[0]}'", remedy="install it or give its full path")
        rate = config.rate or SAMPLE_RATE
        command = list(config.command)
        return ChildSource(
            what=what, command=command, decoder=lambda: RawDecoder(channels, rate), on_state=on_state, stall_s=config.stall_s
        )
    command = [*child, "device", config.device or "auto", "--channels", str(channels)]
    command += ["--rate", str(config.rate)] if config.rate else []
    return ChildSource(what=what, command=command, decoder=Parser, on_state=on_state, stall_s=config.stall_s)
