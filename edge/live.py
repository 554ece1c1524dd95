"""One live line's two threads: one takes sound in and never waits, the other follows the call. A bounded queue between."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from edge.box.health import LevelWatch
from edge.bus.commands import AlertAction, CallContext, CallEnd, CallStart
from edge.bus.events import Event
from edge.capture.source import Source
from edge.config import Config
from edge.engines import Engines
from edge.errors import SourceError
from edge.line import Line
from edge.signal.resample import frames
from edge.values import FRAME_MS, FRAME_SAMPLES, Frame, Role

_log = logging.getLogger("undertone.live")

# 10 s of sound: longer than any pause of the judging seen here, short enough that a verdict still matters.
_QUEUE_FRAMES = 10_000 // FRAME_MS
# Words are given up when the line is 2 s behind, and taken up again when it has caught up to 0.5 s.
_OVERLOAD_FRAMES = 2_000 // FRAME_MS
_RECOVERED_FRAMES = 500 // FRAME_MS
# What was too much stays told for so long: long enough for somebody to see it, and a box at its limit does not flutter.
_TOLD_S = 60.0
# How long the judging thread waits for sound before it looks for commands and for its end.
_IDLE_S = 0.1

LineCommand = CallStart | CallEnd | CallContext | AlertAction


class LiveLine:
    """Runs a Line on a Source until the source ends or `stop` is called. `put` commits events to the outbox.

    `paced`: the sound comes as fast as it was spoken, and what nobody can keep up with is dropped and counted. What is not
    paced (a recording as fast as can be) waits instead.
    """

    def __init__(
        self,
        *,
        name: str,
        line: Line,
        source: Source,
        roles: tuple[Role, ...],
        paced: bool,
        put: Callable[[Iterable[Event]], None],
        died: Callable[[str], None],
    ) -> None:
        self.name = name
        self.frames_heard = 0
        self.dropped_frames = 0
        self.progress_at = time.monotonic()
        self.finished = threading.Event()
        self._line, self._source, self._roles, self._paced = line, source, roles, paced
        self._put, self._died = put, died
        self._watch, self._wrong_level = LevelWatch(roles), ()  # type: LevelWatch, tuple[str, ...]
        self._overloaded_at = self._dropped_at = float("-inf")
        self._frames: queue.Queue[tuple[Frame, float]] = queue.Queue(_QUEUE_FRAMES)
        self._commands: deque[LineCommand] = deque()
        self._source_ended = threading.Event()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), name=f"{name}:{work.__name__.strip('_')}")
            for work in (self._capture, self._follow)
        ]

    @property
    def behind_ms(self) -> int:
        """How much sound waits to be judged."""
        return self._frames.qsize() * FRAME_MS

    @property
    def reason(self) -> str | None:
        """Why the source is stalled or absent, in one line; None where it is neither."""
        return self._source.reason

    @property
    def wrong(self) -> list[str]:
        """What is wrong with the sound and with keeping up, one sentence each with the remedy. For any thread."""
        moment, swapped = time.monotonic(), self._line.swapped
        told = [*self._wrong_level, *([swapped] if swapped else [])]
        if moment - self._overloaded_at < _TOLD_S:
            told.append("too much to do: verdicts are late and words are left out; use fewer lines, a faster box, or mode: voice")
        if moment - self._dropped_at < _TOLD_S:
            told.append("far too much to do: sound is lost (dropped_ms); use fewer lines or a faster box")
        return told

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def serve(self, engines: Engines, config: Config) -> None:
        """Judge by `engines` and as `config` says from the next call on; the one that goes on keeps its own."""
        self._line.serves = engines, config

    def obey(self, command: LineCommand) -> None:
        """Queue a command for the judging thread; never waits."""
        self._commands.append(command)

    def stop(self) -> None:
        """Stop listening, judge what was being said, and end the call. Returns when both threads have ended."""
        self._stopping = True
        self._source.close()
        for thread in self._threads:
            thread.join()

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001 (logged whole, and the process ends)
            # A dead thread would leave a box that looks alive and is deaf: the process ends and systemd starts it again.
            _log.exception("thread.died line=%s work=%s", self.name, work.__name__)
            self._died(f"{self.name}:{work.__name__.strip('_')}")

    def _capture(self) -> None:
        try:
            for frame in frames(self._source.blocks()):
                if self._stopping:
                    break
                self._enqueue(frame)
        except SourceError as error:
            # A recording that cannot be heard to its end; a live source never gives up. The call so far is judged.
            _log.error("line.source_failed line=%s reason=%r", self.name, str(error))
        finally:
            self._source_ended.set()

    def _enqueue(self, frame: Frame) -> None:
        while not self._stopping:
            try:
                self._frames.put((frame, time.monotonic()), block=not self._paced, timeout=_IDLE_S)
            except queue.Full:
                if self._paced:
                    # The clock goes on: the judging thread sees the hole by the next frame's start.
                    self.dropped_frames += 1
                    self._dropped_at = time.monotonic()
                    return
            else:
                return

    def _follow(self) -> None:
        expected = 0
        while True:
            while self._commands:
                self._put(list(self._line.obey(self._commands.popleft())))
            try:
                frame, arrived = self._frames.get(timeout=_IDLE_S)
            except queue.Empty:
                if self._source_ended.is_set() and self._frames.empty():
                    break
                continue
            behind = self._frames.qsize()
            self._line.overloaded = self._paced and behind > (_RECOVERED_FRAMES if self._line.overloaded else _OVERLOAD_FRAMES)
            if self._line.overloaded:
                self._overloaded_at = time.monotonic()
            for start in range(expected, frame.start, FRAME_SAMPLES):
                self._hear(Frame(start=start, pcm=np.zeros((len(self._roles), FRAME_SAMPLES), np.int16), lost=True), arrived)
            self._hear(frame, arrived)
            expected = frame.start + FRAME_SAMPLES
            if not self.frames_heard:
                _log.info("line.heard line=%s", self.name)
            self.frames_heard += 1
            self.progress_at = time.monotonic()
        self._put(list(self._line.end("stop" if self._stopping else "end_of_recording")))
        self.finished.set()

    def _hear(self, frame: Frame, arrived: float) -> None:
        events = list(self._line.hear(frame, arrived if self._paced else None))
        self._wrong_level = self._watch.feed(frame, in_call=self._line.in_call)
        if events:
            self._put(events)
