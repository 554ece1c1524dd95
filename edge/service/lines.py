"""The lines of the service, each made as its configuration says: on a source of its own, or for calls over the network."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.call.engines import Engines
from edge.call.line import Line
from edge.call.past_calls import PastCalls
from edge.call.understood import UnderstoodCalls
from edge.capture import wavfile
from edge.capture.source import open_source
from edge.config import Config, LineConfig
from edge.service.live import LiveLine
from edge.service.trunk import Trunk
from edge.values import SourceState
from edge.wire.events import Event
from edge.wire.replies import Answer, Request

# A line that is up and has had nothing judged for this long is stuck.
_PROGRESS_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMaker:
    """What all lines have in common, as LiveLine and Trunk say of it; `on_state` is told of a line by its name."""

    serving: Callable[[], tuple[Engines, Config]]
    past: PastCalls
    understood_calls: UnderstoodCalls
    put: Callable[[Iterable[Event]], None]
    answer: Callable[[Request, Answer, list[Event]], None]
    on_state: Callable[[str, SourceState], None]
    died: Callable[[str], None]
    keep_s: float

    def make(self, line: LineConfig) -> LiveLine | Trunk:
        """`line`, ready to be started."""

        def on_state(state: SourceState) -> None:
            self.on_state(line.name, state)

        if line.source.listen is not None:
            return Trunk(
                config=line, listen=line.source.listen, keep_s=self.keep_s, past=self.past, put=self.put, line=self._way,
                answer=self.answer, on_state=on_state, died=self.died,
            )  # fmt: skip
        return LiveLine(
            name=line.name,
            line=self._way(line),
            source=open_source(line.source, len(line.channels), on_state),
            roles=line.channels,
            paced=line.source.file is None or line.source.realtime,
            put=self.put,
            answer=self.answer,
            died=self.died,
        )

    def _way(self, line: LineConfig) -> Line:
        fast = line.source.file if not line.source.realtime else None
        return Line(
            line=line, serving=self.serving, past=self.past, understood_calls=self.understood_calls,
            recorded_s=0.0 if fast is None else wavfile.seconds(Path(fast)),
        )  # fmt: skip


def all_progress(lines: Mapping[str, LiveLine | Trunk], states: Mapping[str, SourceState]) -> bool:
    """Whether every line that is up has had fresh sound judged lately: what the watchdog is fed by."""
    now = time.monotonic()
    return all(
        states[name] not in (SourceState.UP, SourceState.LISTENING) or line.finished.is_set() or now - line.progress_at < _PROGRESS_S
        for name, line in lines.items()
    )
