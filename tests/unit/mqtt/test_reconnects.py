"""When the next try comes, and what a row of ended connections means."""

import pytest

from edge.errors import BusError
from edge.mqtt import reconnects
from edge.mqtt.incoming import Lost, Reason
from edge.mqtt.limits import UnansweredError, UnfitBrokerError
from edge.mqtt.reconnects import STEADY_S, End, Reconnects, Unanswered

WORDLESS = Lost(reason=None)
TAKEN_OVER = Lost(reason=Reason(code=0x8E, name="Session taken over"))
AWAY, UNFIT, UNANSWERED = (kind("no") for kind in (BusError, UnfitBrokerError, UnansweredError))
QUOTA = Lost(reason=Reason(code=0x97, name="Quota exceeded"))


@pytest.fixture
def most(monkeypatch):
    """Of each random wait the longest."""
    monkeypatch.setattr(reconnects.random, "uniform", lambda _least, most: most)


@pytest.fixture
def least(monkeypatch):
    monkeypatch.setattr(reconnects.random, "uniform", lambda least, _most: least)


def end(
    lasted_s: float = 0.2,
    lost: Lost | None = WORDLESS,
    *,
    took: bool = True,
    refused: bool = False,
    overdue: bool = False,
    unanswered: str | None = None,
) -> End:
    on_its_way = None if unanswered is None else Unanswered(topic=unanswered, size=900)
    return End(
        lasted_s=lasted_s, lost=lost, took_something=took, refused_something=refused, overdue=overdue, unanswered=on_its_way
    )  # fmt: skip


# How the connections end whose broker is not ready: a cluster that elects, a restart behind a proxy, a full disk.
NOT_READY = {
    "it answered nothing, and ended it after its own patience": end(5, took=False, overdue=True, unanswered="state"),
    "it answered nothing, and ended it at once": end(took=False),
    "it took something, and then no more": end(12, overdue=True, unanswered="text/line-1"),
    "it went silent": end(20, Lost(reason=None, fault="no sign of life from the broker"), overdue=True),
    "it said that it is busy, and took nothing": end(1, Lost(reason=Reason(code=0x89, name="Server busy")), took=False),
    "it gave no answer to CONNECT": UNANSWERED,
}


def waits(box: Reconnects, what: End | BusError) -> float:
    return box.ended(what) if isinstance(what, End) else box.failed(what)


def test_a_broker_that_is_away_is_tried_ever_more_seldom_and_one_that_took_something_at_once(most):
    box = Reconnects("mqtt://x")
    assert [box.failed(AWAY) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert box.ended(end(60)) == 0.5
    assert box.suspicion is None


def test_a_broker_that_no_box_can_use_is_tried_every_few_minutes(least):
    box = Reconnects("mqtt://x")
    assert [box.failed(UNFIT) for _ in range(7)] == [30, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize(("lost", "says"), [(WORDLESS, "as if another box"), (TAKEN_OVER, "another box has this one's site and device:")])
def test_five_short_connections_in_a_row_make_another_box_the_suspect_until_one_lasts(least, lost, says):
    box = Reconnects("mqtt://x")
    assert [box.ended(end(lost=lost)) for _ in range(6)] == [0, 0, 0, 0, 30, 60]
    assert says in box.suspicion.what
    assert box.suspicion.remedy
    # One that lasts for a minute is no proof: the other one waits, too.
    assert box.ended(end(60, lost=lost)) == 120
    assert not box.settled(STEADY_S - 1)
    assert box.suspicion is not None
    assert box.settled(STEADY_S)
    assert box.suspicion is None
    assert box.ended(end(lost=lost)) == 0


@pytest.mark.parametrize("kind", NOT_READY)
def test_a_broker_that_is_not_ready_is_no_other_box_and_never_waited_for_for_long(most, kind):
    box = Reconnects("mqtt://x")
    tried = [waits(box, NOT_READY[kind]) for _ in range(30)]
    assert (box.suspicion, box.deadly) == (None, None)
    # It is not hammered either.
    assert tried[:5] == [1, 2, 4, 8, 16]
    assert set(tried[5:]) == {30}
    # Then it works: nothing of that is left.
    assert box.ended(end(60)) == 0.5


@pytest.mark.parametrize("kind", NOT_READY)
def test_nor_does_it_hide_another_box_that_is_there(least, kind):
    box = Reconnects("mqtt://x")
    for _ in range(4):
        box.ended(end())
        assert waits(box, NOT_READY[kind]) == 0
    assert box.ended(end()) == 30
    assert "as if another box" in box.suspicion.what
    # Who waits for another box does not wait for a broker that is not ready.
    assert waits(box, NOT_READY[kind]) == 0


def test_that_the_session_was_taken_over_says_enough_whether_or_not_anything_was_taken(least):
    box = Reconnects("mqtt://x")
    assert [box.ended(end(lost=TAKEN_OVER, took=False)) for _ in range(6)] == [0, 0, 0, 0, 30, 60]
    assert "another box has this one's site and device:" in box.suspicion.what


def test_a_broker_that_was_fit_and_is_not_is_tried_soon_for_some_minutes_before_it_is_believed(most):
    box = Reconnects("mqtt://x")
    for _ in range(2):
        assert box.ended(end(3600)) == 0.5
        tried = [box.failed(UNFIT) for _ in range(17)]
        assert tried[:6] == [1, 2, 4, 8, 16, 30]
        assert 120 < sum(tried[:16]) < 600
        assert tried[16] == 60
        box.settled(STEADY_S)


def test_a_broker_that_lets_one_that_flaps_wait_without_an_answer_does_not_hide_the_other_box(least):
    box = Reconnects("mqtt://x")
    for _ in range(5):
        box.ended(end(15))
        box.failed(UNANSWERED)
    assert "as if another box" in box.suspicion.what


def test_the_one_whose_connections_last_while_the_other_waits_finds_out_too_and_does_not_wait(least):
    box = Reconnects("mqtt://x")
    assert [box.ended(end(lasted_s)) for lasted_s in (0.2, 0.2, 40, 50, 35)] == [0] * 5
    assert "as if another box" in box.suspicion.what
    assert box.ended(end(200)) == 0
    assert box.suspicion is not None
    assert box.settled(STEADY_S)
    assert box.suspicion is None


def test_a_port_that_never_answers_is_no_other_box(least):
    box = Reconnects("mqtt://x")
    for _ in range(20):
        box.failed(UNANSWERED)
    assert box.suspicion is None


def test_another_reason_is_backed_off_from_and_blamed_on_nobody(least):
    box = Reconnects("mqtt://x")
    assert [box.ended(end(lost=QUOTA, unanswered="info")) for _ in range(6)] == [0, 0, 0, 0, 30, 60]
    assert (box.suspicion, box.deadly) == (None, None)


@pytest.mark.parametrize("between", [end(121), end(lost=None), end(refused=True), None])
def test_a_bad_line_a_broker_that_starts_anew_and_our_own_ends_make_nobody_a_suspect(least, between):
    box = Reconnects("mqtt://x")
    for _ in range(10):
        for _ in range(4):
            assert box.ended(end()) == 0
        if between is None:
            box.failed(AWAY)
        else:
            box.ended(between)
    assert box.suspicion is None


def test_a_message_at_which_three_connections_ended_is_what_ends_them(least):
    box = Reconnects("mqtt://x")
    found = []
    for _ in range(3):
        box.ended(end(unanswered="info"))
        found.append(box.deadly)
    assert found == [None, None, Unanswered(topic="info", size=900)]
    box.ended(end())
    assert (box.deadly, box.suspicion) == (None, None)


def test_at_which_a_broker_ends_that_had_stopped_answering_is_not():
    box = Reconnects("mqtt://x")
    for _ in range(10):
        box.ended(end(5, took=False, overdue=True, unanswered="info"))
        assert box.deadly is None


@pytest.mark.parametrize("between", ["state", None])
def test_not_if_another_was_the_last_one_in_between(least, between):
    box = Reconnects("mqtt://x")
    for topic in ("info", between, "info", "info"):
        box.ended(end(unanswered=topic))
        assert box.deadly is None


def test_what_the_broker_calls_too_large_is_so_at_once(least):
    box = Reconnects("mqtt://x")
    box.ended(end(lost=Lost(reason=Reason(code=0x95, name="Packet too large")), unanswered="info"))
    assert box.deadly == Unanswered(topic="info", size=900)
