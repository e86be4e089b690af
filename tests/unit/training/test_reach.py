"""The range of scales that a classifier reads."""

from worker.training.reach import Step, reach

GOOD = Step(right=(1.0, 0.98), counted=(0.6, 0.9))


def test_a_scale_is_given_up_when_a_class_loses_its_right_answers() -> None:
    assert reach({1.4: Step((1.0, 0.95), (0.6, 0.9)), 1.2: GOOD, 1.0: GOOD, 0.5: Step((0.985, 0.98), (0.6, 0.9))}) == (
        1.2,
        0.5,
    )


def test_a_scale_is_given_up_when_half_of_a_class_asks_for_a_person() -> None:
    assert reach({1.0: GOOD, 0.7: Step((1.0, 1.0), (0.31, 0.9)), 0.5: Step((1.0, 1.0), (0.29, 0.9))}) == (1.0, 0.7)


def test_a_scale_behind_one_that_failed_is_not_reached() -> None:
    assert reach({1.0: GOOD, 0.7: Step((0.5, 1.0), (0.6, 0.9)), 0.5: GOOD}) == (1.0, 1.0)
