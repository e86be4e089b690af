"""Calibration, and the limits above which a person should look."""

import numpy as np
import pytest

from shared.contracts.manifest import ReviewReason
from worker.training.calibration import calibration_error, fit_temperature, reliability, softmax
from worker.training.errors import TrainingError
from worker.training.learn import check_learned
from worker.training.review import SHARES, UNFAMILIAR, fit_subspace, odds, review_outputs, review_threshold

RNG = np.random.default_rng(3)


def test_a_network_that_is_too_sure_gets_a_temperature_above_one() -> None:
    honest = np.eye(3)[RNG.integers(0, 3, 4000)] * 2
    labels = (honest + RNG.gumbel(size=(4000, 3))).argmax(axis=1)
    assert fit_temperature(honest.astype(np.float32), labels) == pytest.approx(1.0, abs=0.1)
    assert fit_temperature((honest * 3).astype(np.float32), labels) == pytest.approx(3.0, abs=0.3)
    sure = softmax((honest * 3).astype(np.float32))
    calm = softmax((honest * 3).astype(np.float32) / 3)
    right = honest.argmax(axis=1) == labels
    assert calibration_error(calm.max(axis=1), right) < 0.03 < calibration_error(sure.max(axis=1), right)


def test_a_handful_of_right_answers_makes_nobody_sure() -> None:
    logits = np.eye(3)[np.arange(8) % 3].astype(np.float32) * 4
    assert 0.6 < fit_temperature(logits, np.arange(8) % 3) <= 1.0


def test_the_calibration_error_is_the_distance_weighted_by_images() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    steps = reliability(confidence, right)
    assert [(round(mean, 6), share, images) for mean, share, images in steps] == [(0.55, 0.5, 2), (0.95, 0.75, 4)]
    assert calibration_error(confidence, right) == pytest.approx((0.05 * 2 + 0.2 * 4) / 6)
    assert calibration_error(np.array([1.0]), np.array([True])) == 0
    assert calibration_error(np.array([]), np.array([], bool)) == 0


def test_what_lies_outside_of_what_was_learned_is_unexplained() -> None:
    plane = np.zeros((500, 6), np.float32)
    plane[:, :2] = RNG.normal(size=(500, 2)) * 4 + 3
    subspace = fit_subspace(plane, components=2)
    assert subspace.unexplained(plane).max() < 0.01
    elsewhere = plane[:3].copy()
    elsewhere[:, 5] = 50
    assert subspace.unexplained(elsewhere).min() > 0.9


def test_odds_weigh_each_reason_against_the_best_class() -> None:
    rows = np.array([[0.6, 0.1, 0.2, 0.1, 0.0], [0.0, 0.1, 0.1, 0.0, 0.8]])
    found = odds(rows, 2)
    assert found[ReviewReason.OTHER_SYMPTOM] == pytest.approx([0.25, 0.5], abs=1e-4)
    assert found[ReviewReason.NOT_A_LEAF] == pytest.approx([1 / 7, 0.0], abs=1e-4)
    assert found[ReviewReason.BLURRED] == pytest.approx([0.0, 8 / 9], abs=1e-4)


def test_each_limit_sends_its_share_of_the_right_answers_to_a_person() -> None:
    values = {name: RNG.random(20_000) for name in SHARES}
    outputs = review_outputs(values)
    assert {o.name for o in outputs} == set(SHARES)
    for output in outputs:
        assert (values[output.name] > output.limit).mean() == pytest.approx(SHARES[output.name], abs=0.003)
    assert next(o for o in outputs if o.name == UNFAMILIAR).reason is ReviewReason.NOT_A_LEAF
    assert sum(SHARES.values()) < 0.05


def test_the_threshold_is_within_bounds() -> None:
    assert review_threshold(np.full(100, 0.999)) == 0.95
    assert review_threshold(np.full(100, 0.34)) == 0.5
    assert review_threshold(np.linspace(0.6, 1, 1001)) == pytest.approx(0.603, abs=0.002)


def test_without_a_right_answer_there_are_no_limits_and_a_sentence_says_so() -> None:
    logits = np.zeros((3, 5), np.float32)
    check_learned(logits, np.array([False, True, False]))
    with pytest.raises(TrainingError, match="Not one of the 3 held-out images"):
        check_learned(logits, np.zeros(3, bool))
    with pytest.raises(TrainingError, match="--learning-rate"):
        check_learned(np.full((3, 5), np.nan, np.float32), np.ones(3, bool))
