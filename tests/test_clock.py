"""A call is dated by when it was spoken."""

import time
from datetime import UTC, datetime

from edge.box.clock import Anchor


def test_sound_that_a_busy_box_hears_of_late_is_dated_by_when_it_came():
    late = Anchor.take(16_000, arrived=time.monotonic() - 2.0)
    assert 2.0 <= (datetime.now(UTC) - late.utc).total_seconds() < 2.9
    assert late.at(0) < late.at(16_000)


def test_a_recording_is_dated_by_now():
    before = datetime.now(UTC)
    assert before <= Anchor.take(0).utc <= datetime.now(UTC)
