"""Backups again and again: when the next one is due, and a process that waits for it."""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

from deploy.backup.errors import BackupError
from shared.errors import PhytobatchError

RETRY = timedelta(minutes=30)
# A clock that is set is noticed after this long.
LOOK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every so often; or, with ``at``, once a day at this time, by UTC."""

    every: timedelta = timedelta(days=1)
    at: time_of_day | None = None

    def due(self, now: datetime, last: datetime | None) -> datetime:
        """When the next backup is due: now, where one was missed or there is none yet.

        Args:
            now: in UTC.
            last: the moment of the newest whole backup.
        """
        if last is None:
            return now
        if self.at is None:
            return max(now, last + self.every)
        today = datetime.combine(now.date(), self.at, UTC)
        latest = today if today <= now else today - timedelta(days=1)
        return now if last < latest else latest + timedelta(days=1)


def keep_running(
    schedule: Schedule, make: Callable[[], object], newest: Callable[[], datetime | None], say: Callable[[str], None]
) -> None:
    """Make backups whenever they are due, until the process is told to stop. A failure is said and tried again.

    Args:
        schedule: when.
        make: makes one.
        newest: the moment of the newest whole one.
        say: gets a line for a person.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    told: datetime | None = None
    not_before = datetime.min.replace(tzinfo=UTC)
    while True:
        now = datetime.now(UTC)
        due = max(schedule.due(now, newest()), not_before)
        if due > now:
            if due != told:
                say(f"next backup at {due:%Y-%m-%d %H:%M} UTC")
                told = due
            time.sleep(min((due - now).total_seconds(), LOOK_SECONDS))
            continue
        try:
            make()
        except (BackupError, PhytobatchError, OSError) as error:  # A full disk may be empty later.
            not_before = now + RETRY
            say(f"error: {error}; tried again at {not_before:%H:%M} UTC")
