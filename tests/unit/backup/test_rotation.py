"""Backups that stay, and the time of the next one."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backup.rotation import Rotation
from deploy.backup.schedule import Schedule

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)  # a Tuesday
MOMENTS = st.lists(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds
    max_size=60,
)
COUNTS = st.integers(0, 5)


def test_the_newest_of_each_day_week_and_month_stays() -> None:
    hours = [NOW - timedelta(hours=6 * number) for number in range(4 * 100)]
    kept = sorted(Rotation(daily=3, weekly=3, monthly=3).keeps(hours), reverse=True)
    assert [f"{moment:%m-%d %H}" for moment in kept] == [
        "12-01 09",  # this day, week and month
        "11-30 21",  # and this month
        "11-29 21",
        "11-22 21",
        "10-31 21",
    ]


@given(MOMENTS, COUNTS, COUNTS, COUNTS)
def test_the_newest_always_stays_and_no_period_keeps_more_than_it_may(
    moments: list[datetime], daily: int, weekly: int, monthly: int
) -> None:
    rotation = Rotation(daily, weekly, monthly)
    kept = rotation.keeps(moments)
    assert kept <= set(moments)
    assert not moments or max(moments) in kept
    assert len(kept) <= daily + weekly + monthly + 1
    assert rotation.keeps(kept) == kept, "to rotate again removes nothing more"


def test_of_days_without_a_backup_none_is_counted() -> None:
    moments = [NOW - timedelta(days=100 * number) for number in range(5)]
    assert Rotation(daily=3, weekly=0, monthly=0).keeps(moments) == set(moments[:3])


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, NOW),
        (datetime(2026, 11, 30, 2, 0, tzinfo=UTC), NOW),  # that of this day was missed
        (datetime(2026, 12, 1, 2, 0, 1, tzinfo=UTC), datetime(2026, 12, 2, 2, 0, tzinfo=UTC)),
        (datetime(2026, 12, 1, 8, 0, tzinfo=UTC), datetime(2026, 12, 2, 2, 0, tzinfo=UTC)),
    ],
)
def test_once_a_day_and_at_once_where_one_was_missed(last: datetime | None, due: datetime) -> None:
    assert Schedule(at=time(2, 0)).due(NOW, last) == due


def test_before_the_time_of_today_the_latest_was_that_of_yesterday() -> None:
    late = Schedule(at=time(23, 0))
    assert late.due(NOW, datetime(2026, 11, 30, 23, 0, 5, tzinfo=UTC)) == datetime(2026, 12, 1, 23, 0, tzinfo=UTC)


def test_every_so_often_counts_from_the_last_one_also_over_a_restart() -> None:
    often = Schedule(every=timedelta(hours=6))
    assert often.due(NOW, None) == NOW
    assert often.due(NOW, NOW - timedelta(hours=1)) == NOW + timedelta(hours=5)
    assert often.due(NOW, NOW - timedelta(days=9)) == NOW
