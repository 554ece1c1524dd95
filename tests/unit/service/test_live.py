"""A live line without sound cards: its threads, what it takes in, and how it ends."""

import threading

import numpy as np

from edge.service import live
from edge.service.live import LiveLine
from edge.values import Block, ClosedBy, Role, SourceState


class Flood:
    """A source that gives a minute of sound at once, and then nothing until it is closed."""

    def __init__(self) -> None:
        self.state, self.closed_by, self.problem = SourceState.UP, ClosedBy.END_OF_RECORDING, None
        self._closed = threading.Event()

    def blocks(self):
        yield Block(pcm=np.zeros((60 * 16_000, 1), np.int16), rate=16_000)
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()


class SlowLine:
    """A line of which every 20 ms take a while to judge: until `go_on` is set, for ever."""

    swapped, same_sound, overloaded, in_call = None, False, False, True

    def __init__(self) -> None:
        self.go_on, self.heard, self.ended = threading.Event(), threading.Event(), []

    def process_frame(self, _frame, _arrived):
        self.heard.set()
        self.go_on.wait(0.05)
        return []

    def end(self, reason):
        self.ended.append(reason)
        return []


def test_a_line_that_is_far_behind_leaves_the_rest_unheard_when_it_is_stopped_and_ends_its_call(monkeypatch, caplog):
    monkeypatch.setattr(live, "_STOP_S", 0.1)
    died, line = [], SlowLine()
    one = LiveLine(
        name="line-1", line=line, source=Flood(), roles=(Role.CUSTOMER,), paced=True, put=lambda _: None, answer=lambda *_: None,
        died=died.append,
    )  # fmt: skip
    one.start()
    assert line.heard.wait(60)
    one.stop()
    assert one.finished.is_set()
    assert line.ended == [ClosedBy.STOP]
    assert one.behind_ms > 0
    assert "line.left_unheard line=line-1" in caplog.text
    assert died == []
    # Asked of a line that is finished: it says so.
    assert not one.visit(lambda _: None)
