"""Lost sound is counted against the clock; drift and unevenness are no loss."""

import random

import pytest

from edge.capture.losses import Losses

RATE, BLOCK = 48_000, 2400


def run(seconds, *, ppm=0.0, jitter_s=0.0, hole_at=None, hole_s=0.0, overflow=False, seed=1):
    """Lost samples that were found, in a stream whose card is `ppm` slow and that loses `hole_s` once."""
    dice, losses, found = random.Random(seed), Losses(RATE), []
    shift = 0.0
    for number in range(int(seconds * RATE / BLOCK)):
        at = (number + 1) * BLOCK / RATE * (1 + ppm / 1e6)
        told = False
        if hole_at is not None and at >= hole_at and not shift:
            shift, told = hole_s, overflow
        arrives = at + shift + dice.uniform(0, jitter_s)
        found.append((at, losses.account(BLOCK, int(arrives * 1e9), overflow=told)))
    return [(at, lost) for at, lost in found if lost]


@pytest.mark.parametrize("ppm", [-300, -50, 0, 50, 300])
@pytest.mark.parametrize("jitter_s", [0.0, 0.08])
def test_an_hour_of_a_drifting_card_loses_nothing(ppm, jitter_s):
    assert run(3600, ppm=ppm, jitter_s=jitter_s) == []


@pytest.mark.parametrize("hole_s", [0.25, 1.0, 2.5])
def test_a_silent_loss_is_found_within_two_seconds_and_measured_to_a_tenth(hole_s):
    found = run(60, jitter_s=0.03, hole_at=20, hole_s=hole_s)
    assert len(found) == 1
    at, lost = found[0]
    assert 20 <= at <= 22.2
    assert abs(lost / RATE - hole_s) < 0.1


def test_a_told_overflow_is_counted_at_once():
    found = run(60, hole_at=20, hole_s=0.05, overflow=True)
    assert len(found) == 1
    assert found[0][0] < 20.1
    assert abs(found[0][1] / RATE - 0.05) < 0.01


def test_a_reader_that_paused_and_then_got_everything_lost_nothing():
    losses, found = Losses(RATE), 0
    for number in range(400):
        at = (number + 1) * BLOCK / RATE
        # Blocks of seconds 5 to 6.5 all come at 6.5 s, as from a sound server that kept them.
        found += losses.account(BLOCK, int((6.5 if 5 < at < 6.5 else at) * 1e9))
    assert found == 0
