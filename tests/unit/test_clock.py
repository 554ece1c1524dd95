"""A call is dated by when it was spoken."""

import time
from datetime import UTC, datetime

import pytest

from edge.clock import Anchor, rfc3339, span


def test_sound_that_a_busy_box_hears_of_late_is_dated_by_when_it_came():
    late = Anchor.take(16_000, arrived=time.monotonic() - 2.0)
    assert 2.0 <= (datetime.now(UTC) - late.utc).total_seconds() < 2.9
    assert late.at(0) < late.at(16_000)


def test_a_recording_that_is_played_faster_than_it_was_spoken_ends_now_and_not_in_the_future():
    anchor = Anchor.take(16_000, left_s=59.0)
    assert (datetime.now(UTC) - anchor.utc).total_seconds() >= 59.0
    assert anchor.at(60 * 16_000) <= rfc3339(datetime.now(UTC))


def test_a_recording_is_dated_by_now():
    before = datetime.now(UTC)
    assert before <= Anchor.take(0).utc <= datetime.now(UTC)


@pytest.mark.parametrize(("seconds", "says"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7300, "2.0 h"), (200_000, "2 days")])
def test_a_span_has_the_largest_unit_of_which_there_are_two(seconds, says):
    assert span(seconds) == says
