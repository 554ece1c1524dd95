"""A source that is listened to as a line does."""

import threading
import time
from collections.abc import Callable

from edge.capture.source import open_source
from edge.config import SourceConfig
from edge.errors import SourceError


class Listener:
    """Takes a source's blocks in a thread of its own, as a line does, and remembers what came when."""

    def __init__(self, config: SourceConfig, channels: int) -> None:
        self.states: list[tuple[str, float]] = []
        self.blocks = []
        self.error = None
        self.source = open_source(config, channels, lambda state: self.states.append((state, time.monotonic())))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for block in self.source.blocks():
                self.blocks.append(block)
        except SourceError as error:
            self.error = error

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that is to come about; the test fails where it does not."""
        give_up = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < give_up, f"in vain for {seconds} s; states: {self.states}, reason: {self.source.problem}"
            time.sleep(0.01)

    def became(self, state: str) -> float:
        """When it last became `state`."""
        return next(when for was, when in reversed(self.states) if was == state)

    def heard(self) -> int:
        return sum(len(block.pcm) for block in self.blocks)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.source.close()
        self._thread.join(5)
        assert not self._thread.is_alive()
