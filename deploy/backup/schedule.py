"""Regular backups: the moment of the next one, and a process that waits for it."""

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
# A change of the clock is noticed after this time.
POLL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """An interval; or, with ``at``, once a day at this time, by UTC."""

    every: timedelta = timedelta(days=1)
    at: time_of_day | None = None

    def due(self, now: datetime, last: datetime | None) -> datetime:
        """Return the moment of the next backup: now if one was missed or there is none yet.

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
    """Make backups whenever they are due, until a signal ends the process. A failure is printed and tried again.

    Args:
        schedule: the moments.
        make: makes a backup.
        newest: returns the moment of the newest whole one.
        say: receives a line for a person.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    announced: datetime | None = None
    not_before = datetime.min.replace(tzinfo=UTC)
    while True:
        now = datetime.now(UTC)
        due = max(schedule.due(now, newest()), not_before)
        if due > now:
            if due != announced:
                say(f"next backup at {due:%Y-%m-%d %H:%M} UTC")
                announced = due
            time.sleep(min((due - now).total_seconds(), POLL_SECONDS))
            continue
        try:
            make()
        except (BackupError, PhytobatchError, OSError) as error:  # A full disk may be empty later.
            not_before = now + RETRY
            say(f"error: {error}; tried again at {not_before:%H:%M} UTC")
