from datetime import timedelta

import pytest

from shared.contracts.states import EventType
from shared.errors import ConfigurationError
from shared.settings import Settings
from shared.webhooks.schedule import Schedule

DEFAULT = Settings.model_fields["webhook_schedule"].default
DONE = EventType.JOB_COMPLETED
HOUR = 3600


def punctual(text: str = DEFAULT) -> Schedule:
    return Schedule(Schedule.parse(text).pauses, chance=lambda: 0.0)


def test_the_default_is_that_of_the_specification() -> None:
    assert punctual().pauses == (0, 5, 300, 1800, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24)))


def test_after_each_failure_comes_the_next_pause_and_after_the_last_one_nothing() -> None:
    schedule = punctual("0,5,300")
    assert [schedule.pause_after(step, DONE) for step in range(4)] == [
        timedelta(seconds=5),
        timedelta(seconds=300),
        None,
        None,
    ]


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_chance_makes_it_later_by_a_tenth_at_most(chance: float) -> None:
    schedule = Schedule((0, 100), chance=lambda: chance)
    assert schedule.pause_after(0, DONE) == timedelta(seconds=100 + 10 * chance)


def test_the_receivers_own_pause_wins_where_it_is_longer() -> None:
    schedule = punctual("0,60,60")
    assert schedule.pause_after(0, DONE, retry_after=90) == timedelta(seconds=90)
    assert schedule.pause_after(0, DONE, retry_after=30) == timedelta(seconds=60)
    assert schedule.pause_after(2, DONE, retry_after=30) is None


@pytest.mark.parametrize("event", [EventType.JOB_PROGRESS, EventType.WEBHOOK_TEST])
def test_what_is_worth_nothing_later_is_tried_once(event: EventType) -> None:
    assert punctual().pause_after(0, event, retry_after=5) is None


@pytest.mark.parametrize("text", ["", "5,300", "0,soon", "0,-1", "0,nan", "0,inf", "0,99999999", "0,,5"])
def test_a_schedule_that_makes_no_sense_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_WEBHOOK_SCHEDULE"):
        Schedule.parse(text)
