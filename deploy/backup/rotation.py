"""The rotation of backups: the newest of each day, week and month is kept, for a number of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

# What two moments have in common that lie in the same day, week or month, by UTC.
PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda moment: (moment.year, moment.month, moment.day),
    "weekly": lambda moment: tuple(moment.isocalendar()[:2]),
    "monthly": lambda moment: (moment.year, moment.month),
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """The number of days, weeks and months that keep their newest backup. The newest of all is always kept."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6

    def keeps(self, moments: Iterable[datetime]) -> set[datetime]:
        """Return the moments, in UTC, whose backups stay."""
        newest_first = sorted(set(moments), reverse=True)
        stay = set(newest_first[:1])
        for name, period_of in PERIODS.items():
            newest_of = {period_of(moment): moment for moment in reversed(newest_first)}
            periods = sorted(newest_of, reverse=True)[: getattr(self, name)]
            stay.update(newest_of[period] for period in periods)
        return stay
