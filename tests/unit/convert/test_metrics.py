"""Figures of merit against values worked out by hand, and against what they must do by definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.metrics import auc, bootstrap, confusion, ece, recalls, reliability, risk_coverage, share, uar


def ints(*values):
    return np.asarray(values, np.int64)


def test_uar_is_the_mean_recall_of_the_classes_that_occur():
    truth, guess = ints(0, 0, 0, 0, 1, 1), ints(0, 0, 0, 1, 1, 0)
    assert confusion(truth, guess, 3).tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert recalls(truth, guess, 3)[:2].tolist() == [0.75, 0.5]
    assert math.isnan(recalls(truth, guess, 3)[2])
    assert uar(truth, guess, 3) == 0.625


def test_always_guessing_the_commonest_class_scores_chance_not_accuracy():
    assert uar(ints(*[0] * 99, 1), ints(*[0] * 100), 2) == 0.5


def test_auc_counts_pairs_in_the_right_order_and_shares_ties():
    # Pairs (positive, negative): (3,1) right, (3,2) right, (2,1) right, (2,2) tie: 3.5 of 4.
    assert auc(np.asarray([1.0, 2.0, 2.0, 3.0]), np.asarray([False, False, True, True])) == 0.875
    assert math.isnan(auc(np.asarray([1.0]), np.asarray([True])))


@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_of_negated_scores_is_the_complement(pairs):
    scores, positive = np.asarray([p[0] for p in pairs]), np.asarray([p[1] for p in pairs])
    if positive.all() or not positive.any():
        return
    assert auc(scores, positive) == pytest.approx(1 - auc(-scores, positive))
    brute = np.mean([(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]])
    assert auc(scores, positive) == pytest.approx(brute)


def test_calibration_error_is_the_gap_between_said_and_so():
    said = np.asarray([0.95] * 10 + [0.05] * 10)
    was = np.asarray([True] * 5 + [False] * 5 + [False] * 10)
    assert ece(said, was) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)
    assert [(b.count, b.was) for b in reliability(said, was)] == [(10, 0.0), (10, 0.5)]


def test_a_probability_that_tells_the_truth_has_no_calibration_error():
    rng = np.random.default_rng(1)
    said = rng.random(200_000)
    assert ece(said, rng.random(200_000) < said) < 0.01


def test_certainty_of_one_falls_into_the_last_bin():
    assert reliability(np.asarray([1.0, 0.0]), np.asarray([True, False]))[-1].said == 1.0


def test_answering_only_the_confident_ones_lowers_the_risk():
    curve = risk_coverage(np.asarray([0.9, 0.8, 0.7, 0.6]), np.asarray([True, True, False, False]))
    assert curve == [(0.25, 0.0), (0.5, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert risk_coverage(np.asarray([]), np.asarray([], bool)) == []


def test_intervals_hold_the_figure_and_widen_when_speakers_differ():
    rng = np.random.default_rng(3)
    alike = (rng.random(400) < 0.5).astype(float)
    # Ten speakers, each all right or all wrong: 400 clips, but ten pieces of evidence.
    apart = np.repeat(np.asarray([0, 1] * 5, float), 40)
    groups = [f"s{n // 40}" for n in range(400)]
    narrow = bootstrap(lambda rows: float(alike[rows].mean()), groups)
    wide = bootstrap(lambda rows: float(apart[rows].mean()), groups)
    assert narrow.low <= narrow.value <= narrow.high
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_with_two_speakers_clips_are_drawn_within_each():
    values = np.asarray([0.0] * 50 + [1.0] * 50)
    found = bootstrap(lambda rows: float(values[rows].mean()), ["a"] * 50 + ["b"] * 50)
    assert found.low == found.high == found.value == 0.5


# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I, method 3.
@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
)
def test_a_share_has_wilsons_interval_also_where_it_is_none(k, n, low, high):
    found = share(k, n)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (k / n, low, high)
