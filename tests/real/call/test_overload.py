"""A line that gets more sound than it can judge gives up words first, then sound, and tells each."""

from collections.abc import Container

import pytest

from edge.call.line import Line
from edge.capture import wavfile
from edge.config import Config, LineConfig, SourceConfig
from edge.models.loading import load_engines
from edge.service.live import LiveLine
from edge.values import FRAME_MS, ClosedBy, Mode, Role
from tests.paths import TESTS
from tests.telling import until

CALL = TESTS / "demo" / "call.wav"
ROLES = (Role.CUSTOMER, Role.AGENT)


class AtOnce:
    """A source that gives so many seconds of a call without taking any time, but for `waits`: then the line catches up first."""

    state, reason, closed_by = "up", None, ClosedBy.END_OF_RECORDING

    def __init__(self, seconds: int, waits: Container[float]) -> None:
        self.line: LiveLine | None = None
        self._seconds, self._waits = seconds, waits

    def blocks(self):
        given = 0
        for block in wavfile.blocks(CALL):
            if given / block.rate in self._waits:
                until(lambda: self.line.behind_ms == 0, 300)
            if given >= self._seconds * block.rate:
                return
            given += len(block.pcm)
            yield block

    def close(self) -> None:
        """There is nothing to end."""


def heard(seconds: int, waits: Container[float]) -> tuple[LiveLine, list]:
    config = Config(mode=Mode.BOTH)
    line = LineConfig(name="line-1", source=SourceConfig(device="none"), channels=ROLES)
    engines = load_engines(config)
    events, died, source = [], [], AtOnce(seconds, waits)
    source.line = live = LiveLine(
        name="line-1",
        line=Line(line=line, serving=lambda: (engines, config)),
        source=source,
        roles=ROLES,
        paced=True,
        put=events.extend,
        answer=lambda _request, _answer, brought: events.extend(brought),
        died=died.append,
    )
    live.start()
    assert live.finished.wait(300)
    live.stop()
    assert died == []
    return live, [event.data for event in events]


@pytest.fixture(scope="module")
def flood():
    # 25 s into a queue of 10 s: however the two threads take turns, no hole is so long (idle_s) that the call ends in it.
    return heard(30, waits={25})


def test_words_go_before_voice_and_each_utterance_says_why(flood):
    _, told = flood
    customers = [data for data in told if data.kind == "call.utterance" and data.role == "customer"]
    without = [data for data in customers if data.words_reason in {"overload", "no_model"}]
    assert without
    assert any(data.voice is not None for data in without)


def test_no_frame_goes_silently(flood):
    live, told = flood
    assert live.dropped_frames > 0
    assert live.frames_processed + live.dropped_frames == 30_000 // FRAME_MS
    summary = next(data for data in told if data.kind == "call.summary")
    # What was dropped within the call is a hole of its true length in it.
    assert 0 < summary.lost_ms <= live.dropped_frames * FRAME_MS


def test_the_line_says_that_it_has_too_much_to_do(flood):
    live, _ = flood
    assert [one.what.partition(":")[0] for one in live.wrong if "too much to do" in one.what] == ["too much to do", "far too much to do"]


def test_a_line_that_keeps_up_says_nothing_and_drops_nothing():
    # A second of sound as soon as the one before is judged, however long that takes: never more than a second behind.
    live, told = heard(12, waits=range(12))
    assert (live.dropped_frames, live.wrong) == (0, [])
    assert live.frames_processed == 12_000 // FRAME_MS
    customers = [data.words_reason for data in told if data.kind == "call.utterance" and data.role == "customer"]
    assert customers
    assert "overload" not in customers
