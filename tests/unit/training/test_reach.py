"""The range of scales that a classifier reads."""

from worker.training.reach import Step, reach

GOOD = Step(accuracy=0.99, right=(1.0, 0.98), counted=(0.6, 0.9))
WORSE = Step(accuracy=0.96, right=(1.0, 0.92), counted=(0.6, 0.9))
NEARLY = Step(accuracy=0.975, right=(1.0, 0.95), counted=(0.31, 0.9))
ASKING = Step(accuracy=1.0, right=(1.0, 1.0), counted=(0.29, 0.9))


def test_a_scale_is_given_up_when_right_answers_are_lost() -> None:
    assert reach({1.4: WORSE, 1.2: GOOD, 1.0: GOOD, 0.7: NEARLY, 0.5: WORSE}) == (1.2, 0.7)


def test_a_scale_is_given_up_when_half_of_a_class_asks_for_a_person() -> None:
    assert reach({1.0: GOOD, 0.7: NEARLY, 0.5: ASKING}) == (1.0, 0.7)


def test_a_scale_behind_one_that_failed_is_not_reached() -> None:
    assert reach({1.0: GOOD, 0.7: WORSE, 0.5: GOOD}) == (1.0, 1.0)
