"""One live line's two threads: one takes sound in and never waits, the other follows the call. A bounded queue between."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from edge.call.line import Line, LineCommand
from edge.capture.source import Source
from edge.errors import Problem, SourceError
from edge.service.levels import LevelWatch
from edge.signal.resample import frames
from edge.values import FRAME_MS, FRAME_SAMPLES, ClosedBy, Frame, Role
from edge.wire.context import Context
from edge.wire.events import Event
from edge.wire.replies import Answer, Request

_log = logging.getLogger("undertone.live")

# 10 s of sound: longer than any pause of the judging seen here, short enough that a verdict still matters.
_QUEUE_FRAMES = 10_000 // FRAME_MS
# Words are given up when the line is 2 s behind, and taken up again when it has caught up to 0.5 s.
_OVERLOAD_FRAMES = 2_000 // FRAME_MS
_RECOVERED_FRAMES = 500 // FRAME_MS
# What was too much stays shown for so long: long enough for somebody to see it, and a box at its limit does not flutter.
_REPORTED_S = 60.0
# A level of sound that came so long ago is none.
_SOUNDLESS_S = 3.0
# One step of 16 bits: what is softer and no silence is a constant.
_FLOOR_DBFS = -90.0
# The service has 8 s to end: a line that is further behind than it can judge in so long leaves the rest unheard.
_STOP_S = 2.0
# How long the judging thread waits for sound before it looks for commands and for its end.
_IDLE_S = 0.1


class LiveLine:
    """Runs a Line on a Source until the source ends or `stop` is called.

    `put` commits events to the outbox; `answer` does so with what a command brought about, and answers it.

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
        answer: Callable[[Request, Answer, list[Event]], None],
        died: Callable[[str], None],
        opening: Context | None = None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """`opening`: the source is one call, of which so much is known; None: calls are found in it. `over` is told when all is done."""
        self.name = name
        self.frames_processed = 0
        self.dropped_frames = 0
        self.progress_at = time.monotonic()
        self.finished = threading.Event()
        self._line, self._source, self._roles, self._paced = line, source, roles, paced
        self._put, self._answer, self._died = put, answer, died
        self._opening, self._told_over = opening, over
        self._watch, self._wrong_level = LevelWatch(roles), ()  # type: LevelWatch, tuple[Problem, ...]
        self._overloaded_at = self._dropped_at = float("-inf")
        self._frames: queue.Queue[tuple[Frame, float]] = queue.Queue(_QUEUE_FRAMES)
        # What others want of the line, in its own thread; None once it is finished.
        self._wanted: deque[Callable[[], None]] | None = deque()
        self._request_lock = threading.Lock()
        self._source_ended = threading.Event()
        self._stopping, self._stop_by = False, float("inf")
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), name=f"{name}:{work.__name__.strip('_')}")
            for work in (self._capture, self._follow)
        ]

    @property
    def behind_ms(self) -> int:
        """How much sound waits to be judged."""
        return self._frames.qsize() * FRAME_MS

    @property
    def problem(self) -> Problem | None:
        """Why the source is stalled or absent; None where it is neither."""
        return self._source.problem

    @property
    def levels(self) -> dict[str, float | None]:
        """Each channel's last second, by its role: dBFS, None for digital silence; {} where no sound comes. For any thread."""
        if time.monotonic() - self.progress_at > _SOUNDLESS_S:
            return {}
        return {
            role: None if one.silent else max(one.rms_dbfs, _FLOOR_DBFS) for role, one in zip(self._roles, self._watch.last, strict=False)
        }

    @property
    def wrong(self) -> list[Problem]:
        """What is wrong with the sound and with keeping up. For any thread."""
        moment, swapped = time.monotonic(), self._line.swapped
        problems = [*self._wrong_level, *([swapped] if swapped else [])]
        if self._line.same_sound:
            what = "both channels carry the same sound: heard as one mixed line, words only"
            problems.append(Problem(what=what, remedy="check the tap's wiring, or set channels: [mixed]"))
        if moment - self._overloaded_at < _REPORTED_S:
            what = "too much to do: verdicts are late and words are left out"
            problems.append(Problem(what=what, remedy="use fewer lines, a faster box, or mode: voice"))
        if moment - self._dropped_at < _REPORTED_S:
            problems.append(Problem(what="far too much to do: sound is lost (dropped_ms)", remedy="use fewer lines or a faster box"))
        return problems

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def handle_request(self, request: Request, command: LineCommand) -> bool:
        """Queue the `command` that a request makes for the judging thread; never waits. False: it is finished, and takes nothing more."""
        return self._want(partial(self._handle, request, command))

    def visit(self, work: Callable[[Line], None]) -> bool:
        """Have the judging thread do `work` with the line; never waits. False: it is finished, and takes nothing more."""
        return self._want(partial(work, self._line))

    def stop(self) -> None:
        """Stop listening, judge what was being said, and end the call. Returns when both threads have ended."""
        self.begin_to_stop()
        for thread in self._threads:
            thread.join()

    def begin_to_stop(self) -> None:
        """`stop` without waiting."""
        self._stop_by = min(self._stop_by, time.monotonic() + _STOP_S)
        self._stopping = True
        self._source.close()

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
            self._do_wanted(last=False)
            if time.monotonic() > self._stop_by:
                _log.warning("line.left_unheard line=%s ms=%d", self.name, self.behind_ms)
                break
            try:
                frame, arrived = self._frames.get(timeout=_IDLE_S)
            except queue.Empty:
                if self._source_ended.is_set() and self._frames.empty():
                    break
                continue
            if self._opening is not None:
                self._put(list(self._line.connect(self._opening, arrived - FRAME_MS / 1000)))
                self._opening = None
            behind = self._frames.qsize()
            self._line.overloaded = self._paced and behind > (_RECOVERED_FRAMES if self._line.overloaded else _OVERLOAD_FRAMES)
            if self._line.overloaded:
                self._overloaded_at = time.monotonic()
            for start in range(expected, frame.start, FRAME_SAMPLES):
                self._process(Frame(start=start, pcm=np.zeros((len(self._roles), FRAME_SAMPLES), np.int16), lost=True), arrived)
            self._process(frame, arrived)
            expected = frame.start + FRAME_SAMPLES
            if not self.frames_processed:
                _log.info("line.first_sound line=%s", self.name)
            self.frames_processed += 1
            self.progress_at = time.monotonic()
        self._put(list(self._line.end(ClosedBy.STOP if self._stopping else self._source.closed_by)))
        self._do_wanted(last=True)
        self.finished.set()
        self._told_over()

    def _want(self, work: Callable[[], None]) -> bool:
        with self._request_lock:
            if self._wanted is not None:
                self._wanted.append(work)
            return self._wanted is not None

    def _do_wanted(self, *, last: bool) -> None:
        while (wanted := self._next_wanted(last=last)) is not None:
            wanted()

    def _next_wanted(self, *, last: bool) -> Callable[[], None] | None:
        """What was asked first; None where nothing was, and after the `last` nothing more can be."""
        with self._request_lock:
            if self._wanted:
                return self._wanted.popleft()
            if last:
                self._wanted = None
        return None

    def _handle(self, request: Request, command: LineCommand) -> None:
        handled = self._line.handle_command(command)
        self._answer(request, handled.answer, handled.events)

    def _process(self, frame: Frame, arrived: float) -> None:
        events = list(self._line.process_frame(frame, arrived if self._paced else None))
        self._wrong_level = self._watch.feed(frame, in_call=self._line.in_call)
        if events:
            self._put(events)
