"""A source that is a child process: watched, killed when it stalls, started again.

A live source never ends: while nothing is heard its clock goes on as `lost` samples, so a call sees a hole of the right length.
"""

import logging
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from edge.capture.framing import EXIT_ABSENT, Flag
from edge.capture.last_words import last_words
from edge.capture.packets import Packet, WireError
from edge.errors import Problem, SourceError
from edge.values import SAMPLE_RATE, Block, ClosedBy, SourceState

_log = logging.getLogger("undertone.capture")

# How often a waiting source looks whether it was closed, and tells the line how much time has gone.
_TICK_S = 0.2
# Python, PortAudio and a cold PulseAudio take up to 5 s together on a Pi-class box before the first sound; on a machine with
# ten times the load it can bear, 12 s were measured. Killing a child that is only slow would keep the line deaf for good.
_START_S = 20.0
# What worked until now is tried again at once; after that full jitter (AWS architecture blog, "Exponential backoff and jitter"): twice
# this, doubled each time, up to the cap. The cap leaves time to start within the 10 s after which sound must be back.
_RETRY_FIRST_S = 0.5
_RETRY_CAP_S = 3.0
# Sound for this long means that the trouble is over and the next one is a new one.
_STEADY_S = 10.0
# A child that is told to end gets this long before it is killed.
_END_S = 0.5
_READ_BYTES = 65_536
# The last lines of stderr are enough to say why a child died.
_STDERR_BYTES = 4096


class Decoder(Protocol):
    """Packets out of what a child writes."""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that `data` completes. Raises WireError."""


class ChildSource:
    """A Source that is a child process; `what` names it in the log."""

    def __init__(
        self,
        *,
        what: str,
        command: list[str],
        decoder: Callable[[], Decoder],
        on_state: Callable[[SourceState], None],
        stall_s: float,
        live: bool = True,
    ) -> None:
        self.state = SourceState.STARTING
        self.closed_by = ClosedBy.END_OF_RECORDING
        self.problem: Problem | None = None
        self.child_pid: int | None = None
        self._what, self._command, self._decoder = what, command, decoder
        self._on_state, self._stall_s, self._live = on_state, stall_s, live
        self._closed = threading.Event()
        self._clock = _Clock()

    def blocks(self) -> Iterator[Block]:
        """See Source."""
        failures = 0
        while not self._closed.is_set():
            began = time.monotonic()
            yield from self._one_life()
            if self.state == SourceState.ENDED or self._closed.is_set():
                break
            if not self._live:
                raise SourceError.of(self.problem or Problem(what="the recording could not be played"))
            failures = 0 if time.monotonic() - began > _STEADY_S else failures + 1
            give_up = time.monotonic() + _pause_s(failures)
            while (left := give_up - time.monotonic()) > 0 and not self._closed.wait(min(left, _TICK_S)):
                yield from self._clock.catch_up()
        if self.state != SourceState.ENDED:
            self._set(SourceState.STOPPED, None)

    def close(self) -> None:
        """See Source."""
        self._closed.set()

    def _one_life(self) -> Iterator[Block]:
        """What one child says, from its start until it has gone."""
        child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        self.child_pid = child.pid
        said: deque[bytes] = deque(maxlen=16)
        try:
            yield from self._listen(child, said)
        finally:
            _end(child)
            self.child_pid = None
        if self.state == SourceState.ENDED or self._closed.is_set():
            return
        if child.returncode == EXIT_ABSENT:
            self._set(SourceState.ABSENT, _tail(said))

    def _listen(self, child: "subprocess.Popen[bytes]", said: deque[bytes]) -> Iterator[Block]:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101, PT018 (both are pipes: for the type checker)
        decoder, ready = self._decoder(), select.poll()
        ready.register(child.stdout, select.POLLIN)
        ready.register(child.stderr, select.POLLIN)
        allowed_s, quiet_s = max(_START_S, self._stall_s), 0.0
        while not self._closed.is_set():
            waited_from = time.monotonic()
            events = ready.poll(_TICK_S * 1000)
            # Only waiting counts: a line that is slow to take its blocks is no stall of the child's.
            quiet_s += time.monotonic() - waited_from
            for number, _ in events:
                data = os.read(number, _READ_BYTES)
                if number == child.stderr.fileno():
                    self._note(data, said)
                    if not data:
                        ready.unregister(number)
                elif not data:
                    self._gone(child, said)
                    return
                else:
                    allowed_s, quiet_s = self._stall_s, 0.0
                    try:
                        yield from self._take(decoder.feed(data))
                    except WireError as error:
                        self._set(SourceState.STALLED, error.problem)
                        return
            if self.state == SourceState.ENDED:
                return
            if quiet_s > allowed_s:
                self._set(SourceState.STALLED, Problem(what=f"no sound for {allowed_s:g} s"))
                return
            if self.state not in (SourceState.UP, SourceState.STARTING):
                yield from self._clock.catch_up()

    def _take(self, packets: Iterator[Packet]) -> Iterator[Block]:
        for packet in packets:
            if packet.flags & Flag.END:
                self._set(SourceState.ENDED, None)
                return
            lost = packet.lost
            if self.state != SourceState.UP:
                lost += self._clock.missing_before(packet) if self._live else 0
                self._set(SourceState.UP, None)
            self._clock.at(packet)
            yield Block(pcm=packet.pcm, rate=packet.rate, lost=lost)

    def _note(self, data: bytes, said: deque[bytes]) -> None:
        said.append(data[-_STDERR_BYTES:])
        if not self._live and b"warning:" in data:
            # What is wrong with a recording is for who asked for it, not for a log.
            sys.stderr.write(data.decode(errors="replace"))

    def _gone(self, child: "subprocess.Popen[bytes]", said: deque[bytes]) -> None:
        """The child closed its end: remember why."""
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            return self._set(SourceState.STALLED, Problem(what="the capture program closed its output"))
        if child.stderr is not None:
            # What it started may still hold the pipe open: take what is there, and wait for nothing.
            os.set_blocking(child.stderr.fileno(), False)
            if rest := child.stderr.read():
                self._note(rest, said)
        if child.returncode == EXIT_ABSENT:
            return None
        code = child.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        words = _tail(said) if code > 0 else None
        return self._set(SourceState.STALLED, words or Problem(what=f"the capture program {how}"))

    def _set(self, state: SourceState, problem: Problem | None) -> None:
        changed = (state, problem) != (self.state, self.problem)
        told = state != self.state
        self.state, self.problem = state, problem
        if changed and problem:
            _log.warning("capture.%s reason=%r source=%s", state, str(problem), self._what)
        if told:
            self._on_state(state)


def _pause_s(failures: int) -> float:
    """How long to wait after so many failures on end."""
    return random.uniform(0, min(_RETRY_CAP_S, _RETRY_FIRST_S * 2**failures)) if failures else 0.0  # noqa: S311 (jitter is no secret)


class _Clock:
    """Up to which monotonic time the line has been given sound or told of its loss; nothing before the first sound."""

    def __init__(self) -> None:
        self._until_ns: int | None = None
        self._rate = SAMPLE_RATE
        self._channels = 1

    def at(self, packet: Packet) -> None:
        self._until_ns, self._rate, self._channels = packet.ended_ns, packet.rate, packet.pcm.shape[1]

    def missing_before(self, packet: Packet) -> int:
        """Samples, at the packet's rate, between what the line knows and the packet's first sample."""
        if self._until_ns is None:
            return 0
        began_ns = packet.ended_ns - len(packet.pcm) * 1_000_000_000 // packet.rate
        return max(0, (began_ns - self._until_ns) * packet.rate // 1_000_000_000)

    def catch_up(self) -> Iterator[Block]:
        """A block of loss alone up to now, so that a call sees time go by while nothing is heard."""
        if self._until_ns is None:
            return
        lost = max(0, (time.monotonic_ns() - self._until_ns) * self._rate // 1_000_000_000)
        if lost:
            self._until_ns += lost * 1_000_000_000 // self._rate
            yield Block(pcm=np.zeros((0, self._channels), np.int16), rate=self._rate, lost=lost)


def _tail(said: deque[bytes]) -> Problem | None:
    return last_words(b"".join(said).decode(errors="replace"))


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the child and what it started: asked first, then killed. A stopped child hears what it is asked once it is continued."""
    for number, patience_s in ((signal.SIGTERM, _END_S), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
            os.killpg(child.pid, signal.SIGCONT)
        except ProcessLookupError:
            break
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
        break
    child.poll()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
