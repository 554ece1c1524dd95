"""How the box says that it is: everything that is wrong is a reason in its state, and reaches the journal once."""

import logging

import numpy as np
import pytest

from edge.errors import Problem
from edge.outbox.counts import Counts
from edge.service.device_state import DeviceState
from edge.service.levels import LevelWatch
from edge.values import FRAME_MS, FRAME_SAMPLES, Frame, Role, SourceState

NOTHING_UNSENT = Counts(rows=0, alert_rows=0, oldest_s=None)


class Line:
    """A line that is up, with the level watch that every line has."""

    problem = None

    def __init__(self) -> None:
        self._watch, self.wrong, self._start = LevelWatch((Role.CUSTOMER,)), [], 0

    def feed(self, seconds: int, loudness: int) -> None:
        """So many seconds of noise of this peak; 0 is digital silence."""
        noise = np.random.default_rng(1)
        for _ in range(seconds * 1000 // FRAME_MS):
            pcm = noise.integers(-loudness, loudness + 1, (1, FRAME_SAMPLES)).astype(np.int16)
            self.wrong = list(self._watch.feed(Frame(start=self._start, pcm=pcm), in_call=False))
            self._start += FRAME_SAMPLES


@pytest.fixture
def box(caplog):
    caplog.set_level(logging.INFO, "undertone.state")
    line = Line()
    state = DeviceState({"line-1": line}, boot=1)
    state.states["line-1"] = SourceState.UP

    def tick(*, for_bus: bool = True) -> str:
        return state.state(state.problems(missing=(), counts=NOTHING_UNSENT, bus=[]), for_bus=for_bus).state

    return line, tick, caplog


def test_silence_that_degrades_a_line_reaches_the_journal_once_and_so_does_its_end(box):
    line, tick, caplog = box
    line.feed(5, 3000)
    assert tick() == "online"
    assert caplog.messages == []
    line.feed(40, 0)
    for _ in range(3):
        assert tick() == "degraded"
    (said,) = caplog.messages
    assert said.startswith("state.degraded reason='line-1: customer: digital silence")
    line.feed(2, 3000)
    for _ in range(3):
        assert tick() == "online"
    assert [message.split(" ")[0] for message in caplog.messages] == ["state.degraded", "state.mended"]


def test_what_only_the_box_shows_is_not_logged_again(box):
    line, tick, caplog = box
    line.feed(40, 0)
    assert tick(for_bus=False) == "degraded"
    assert caplog.messages == []


def test_what_stands_is_said_again_and_what_the_publisher_logs_is_not_said_twice(caplog):
    caplog.set_level(logging.INFO, "undertone.state")
    clock = [0.0]
    state = DeviceState({"line-1": Line()}, boot=1, clock=lambda: clock[0])
    missing, refused = Problem(what="no recogniser", remedy="bring it"), Problem(what="refused", remedy="let it")
    for second in range(3600):
        clock[0] = float(second)
        state.state(state.problems(missing=[missing], counts=NOTHING_UNSENT, bus=[refused]), for_bus=True)
    assert caplog.messages == ["state.degraded reason='no recogniser; bring it'"] * 6
    state.state(state.problems(missing=[], counts=NOTHING_UNSENT, bus=[refused]), for_bus=True)
    assert caplog.messages[6:] == ["state.mended reason='no recogniser; bring it'"]
