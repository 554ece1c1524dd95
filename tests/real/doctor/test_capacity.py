"""How many lines a box carries is measured, kept, and read back."""

import pytest

from edge.config import Config
from edge.doctor import capacity
from edge.doctor.capacity import Capacity, estimates, keep, measure, measured


def test_what_was_measured_is_kept_for_the_service(tmp_path):
    assert measured(tmp_path) is None
    keep(Capacity(lines=3, channels=2, share=0.21, late_s=0.4, cores=4), tmp_path)
    assert measured(tmp_path) == 3
    (tmp_path / "capacity.json").write_text("{}")
    assert measured(tmp_path) is None


def test_a_measurement_carries_real_lines_with_the_real_models(monkeypatch):
    # The same measurement, shorter: the figures are the bench's business, not this test's.
    monkeypatch.setattr(capacity, "_ALONE_S", 8)
    monkeypatch.setattr(capacity, "_TOGETHER_S", 4)
    steps = []
    found = measure(Config(), 2, steps.append)
    assert 0 <= found.lines <= 2
    assert found.share > 0
    assert found.cores >= 1
    assert any("of a core" in step for step in steps)
    assert "late at worst" in steps[-1]


def test_a_box_that_is_too_slow_carries_nothing(monkeypatch):
    monkeypatch.setattr(capacity, "_ALONE_S", 4)
    monkeypatch.setattr(capacity, "_TOGETHER_S", 1)
    monkeypatch.setattr(capacity, "_LATE_S", -1.0)
    assert measure(Config(), 1, lambda _step: None).lines == 0


@pytest.mark.parametrize("lines", [1, 2])
def test_no_more_lines_are_tried_than_asked_for(monkeypatch, lines):
    monkeypatch.setattr(capacity, "_alone", lambda *_: 0.001)
    tried = []
    monkeypatch.setattr(capacity, "_together", lambda count, *_: tried.append(count) or 0.0)
    assert measure(Config(), lines, lambda _step: None).lines == lines
    assert tried == [lines]


def test_what_a_raspberry_pi_should_carry_is_called_an_estimate_and_shows_its_arithmetic():
    four, five = estimates(Capacity(lines=8, channels=2, share=0.08, late_s=0.4, cores=2))
    assert four == (
        "estimate, not measured: a Raspberry Pi 4 should carry 6 such line(s): 4 cores x 0.7 / (0.080 of a core here x 5.3 times as slow)"
    )
    assert "Raspberry Pi 5 should carry 17 such" in five
