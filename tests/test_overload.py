"""A line that gets more sound than it can judge gives up words first, then sound, and tells each."""

from pathlib import Path

import pytest

from edge.capture import wavfile
from edge.config import Config, LineConfig, SourceConfig
from edge.line import Line
from edge.live import LiveLine
from edge.loading import load_engines
from edge.values import FRAME_MS, Mode, Role
from tests.telling import until

CALL = Path(__file__).parent / "demo" / "call.wav"
ROLES = (Role.CUSTOMER, Role.AGENT)


# What comes once the line has caught up.
LAST_S = 5


class AtOnce:
    """A source that gives so many seconds of a call without taking any time, the last five of them once the line has caught up."""

    state, reason = "up", None

    def __init__(self, seconds: float) -> None:
        self.line: LiveLine | None = None
        self._seconds = seconds

    def blocks(self):
        given = 0
        for block in wavfile.blocks(CALL):
            if given == (self._seconds - LAST_S) * block.rate:
                until(lambda: self.line.behind_ms == 0, 300)
            if given >= self._seconds * block.rate:
                return
            given += len(block.pcm)
            yield block

    def close(self) -> None:
        """There is nothing to end."""


def heard(seconds: float) -> tuple[LiveLine, list]:
    config = Config(mode=Mode.BOTH)
    line = LineConfig(name="line-1", source=SourceConfig(device="none"), channels=ROLES)
    events, died, source = [], [], AtOnce(seconds)
    source.line = live = LiveLine(
        name="line-1",
        line=Line(line=line, config=config, engines=load_engines(config)),
        source=source,
        roles=ROLES,
        paced=True,
        put=events.extend,
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
    return heard(30)


def test_words_go_before_voice_and_each_utterance_says_why(flood):
    _, told = flood
    customers = [data for data in told if data.kind == "call.utterance" and data.role == "customer"]
    without = [data for data in customers if data.words_reason in {"overload", "no_model"}]
    assert without
    assert any(data.voice is not None for data in without)


def test_no_frame_goes_silently(flood):
    live, told = flood
    assert live.dropped_frames > 0
    assert live.frames_heard + live.dropped_frames == 30_000 // FRAME_MS
    summary = next(data for data in told if data.kind == "call.summary")
    # What was dropped within the call is a hole of its true length in it.
    assert 0 < summary.lost_ms <= live.dropped_frames * FRAME_MS


def test_the_line_says_that_it_has_too_much_to_do(flood):
    live, _ = flood
    assert [told.partition(":")[0] for told in live.wrong if "too much to do" in told] == ["too much to do", "far too much to do"]


def test_a_line_that_keeps_up_says_nothing_and_drops_nothing():
    live, _ = heard(1)
    assert (live.dropped_frames, live.wrong) == (0, [])
    assert live.frames_heard == 1000 // FRAME_MS
