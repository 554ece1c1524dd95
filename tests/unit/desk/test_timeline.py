"""A case's call is drawn as the report draws it, and whatever a box tells, the drawing stays one."""

import re
from datetime import UTC, datetime

import pytest

from desk.ingest.rebuild import rebuild
from edge.clock import uuid7
from edge.drawing.timeline import Spoken, Timeline, draw
from edge.report.calls import calls_in
from tests.scripted_box import ScriptedBox
from tests.unit.desk.pages import Client


def spoken(box, name, n, role, start, end, *, overlap=0, voice=None, words=None, verdict=None, mean=None):
    """An utterance with all that the drawing shows."""
    return box.utterance(
        name, n, 0.0, role=role, channel=1 if role == "agent" else 0, start_ms=start, end_ms=end, turn={"overlap_ms": overlap},
        voice=voice and {"polarity": voice}, words=words and {"polarity": words}, verdict=verdict, scores={"mean": mean},
    )  # fmt: skip


def drawn(store):
    return re.search(r"<svg viewBox.*?</svg>", Client(store).get("/case/1").text, re.DOTALL)[0]


def test_the_cases_drawing_is_the_reports_own(store):
    box, name = ScriptedBox(), uuid7()
    events = [
        box.started(name, at=datetime.now(UTC)),
        spoken(box, name, 1, "agent", 0, 4000, words=0.7),
        spoken(box, name, 2, "customer", 3000, 9000, overlap=900, voice=-0.4, words=-0.8, verdict={"label": "negative", "polarity": -0.7},
               mean=-0.7),
        spoken(box, name, 3, "customer", 12_000, 15_000, voice=0.1, verdict={"label": None, "polarity": 0.05}, mean=-0.3),
        spoken(box, name, 4, "agent", 15_100, 16_000),
        box.alert(name), box.summary(name),
    ]  # fmt: skip
    store.tell(box, *events)
    [call] = calls_in(events)
    assert drawn(store) == draw(call.timeline)
    for part in ("stem voice", "stem words", "mark fused weak", 'class="overlap"', "mean so far", "1 billing_complaint"):
        assert part in drawn(store), part
    rebuild(store.database, ())
    assert drawn(store) == draw(call.timeline)


@pytest.mark.parametrize("odd", [
    {"start_ms": -(10**12), "end_ms": 2**52}, {"start_ms": 5, "end_ms": 1}, {"voice": [], "words": "none", "turn": 3, "scores": None},
    {"voice": {"polarity": 1e300}, "words": {"polarity": "high"}, "turn": {"overlap_ms": True}}, {"role": '<b onclick="x">'},
    {"verdict": {"label": "negative", "polarity": -1e300}},
], ids=range(6))  # fmt: skip
def test_whatever_a_box_tells_is_drawn_small(store, odd):
    box, name = ScriptedBox(), uuid7()
    store.tell(box, box.started(name), box.utterance(name, 1, -0.4, **odd), box.alert(name))
    svg = drawn(store)
    assert len(svg) < 20_000
    assert "<b " not in svg
    assert not re.search(r"e\+|nan|inf", re.sub(r"<title>.*?</title>", "", svg))


def test_a_call_of_thousands_of_utterances_is_drawn_in_time(store):
    box, name = ScriptedBox(), uuid7()
    store.tell(box, box.started(name), *(box.utterance(name, n, -0.4, start_ms=0, end_ms=9000) for n in range(2500)), box.alert(name))
    assert drawn(store).count("stem fused") == 2000


@pytest.mark.parametrize("hours", [0.001, 0.1, 1, 3, 24, 2_000_000])
def test_the_axis_has_about_a_dozen_times_however_long_the_call(hours):
    call = Timeline(duration_ms=int(hours * 3_600_000), lanes=["customer"], spoken=[], reasons=[])
    assert 1 <= draw(call).count("tiny middle") <= 14


def test_nobody_who_read_nothing_has_a_mark():
    blank = Spoken(n=1, lane=0, start_ms=0, end_ms=900, overlap_ms=0, voice=None, words=None, fused=None, certain=False, mean=None)
    svg = draw(Timeline(duration_ms=1000, lanes=["customer"], spoken=[blank], reasons=[]))
    assert (svg.count("no reading"), svg.count('class="mark')) == (3, 0)
