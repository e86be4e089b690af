"""The schedule of a training."""

from pathlib import Path

import pytest

from worker.training.plan import Schedule, TrainingPlan


@pytest.mark.parametrize(("pictures", "epochs"), [(10, 120), (90, 40), (320, 12), (640, 6), (5000, 6)])
def test_few_pictures_are_shown_more_often(pictures: int, epochs: int) -> None:
    plan = TrainingPlan([], Path("out"), "vine", "1", schedule=Schedule(epochs=6, batch_size=32), min_steps=120)
    assert plan.schedule_of(pictures).epochs == epochs


def test_without_a_least_number_of_steps_the_schedule_stands() -> None:
    plan = TrainingPlan([], Path("out"), "vine", "1", schedule=Schedule(epochs=2))
    assert plan.schedule_of(10) == plan.schedule
