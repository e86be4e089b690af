"""The deliverer's access to the database: claims of deliveries, and records of their outcomes."""

from collections.abc import Sequence
from datetime import timedelta

from shared.db.session import Database
from shared.programs import Heartbeat
from shared.settings import Settings
from shared.webhooks import deliveries, recording
from shared.webhooks.breaker import Breaker
from shared.webhooks.clock import Clock
from shared.webhooks.deliveries import Claim, Terms
from shared.webhooks.recording import Outcome, Rules
from shared.webhooks.schedule import Schedule

# Added to the longest attempt: a lease must also last until the attempt is recorded, on a busy machine too.
LEASE_SLACK_SECONDS = 10.0


class Ledger:
    """Claims and records, each in one transaction that blocks. Safe to share between threads.

    If there is a ``heartbeat``, a claim also writes that this process is alive.

    Raises:
        ConfigurationError: the schedule of the settings makes no sense.
    """

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, *, heartbeat: Heartbeat | None = None
    ) -> None:
        self._heartbeat = heartbeat
        self._database = database
        self._clock = clock
        self._terms = Terms(
            lease=timedelta(seconds=settings.webhook_timeout_seconds + LEASE_SLACK_SECONDS),
            per_endpoint=settings.webhook_in_flight_per_endpoint,
            breaker_failures=settings.webhook_breaker_failures,
        )
        self._rules = Rules(Schedule.parse(settings.webhook_schedule), Breaker.of(settings))

    def claim(self, slots: int) -> list[Claim]:
        """Claim at most ``slots`` due deliveries.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        with self._database.begin() as session:
            if self._heartbeat is not None:
                self._heartbeat.write(session)
            return deliveries.claim(session, self._clock, self._terms, slots=slots)

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes of claims; harmless to repeat.

        Raises:
            DatabaseUnavailable: Postgres is away; the outcomes may have been stored even so.
        """
        with self._database.begin() as session:
            recording.record(session, self._clock, self._rules, outcomes)

    def release(self, claims: Sequence[Claim]) -> None:
        """Hand back claims without an outcome.

        Raises:
            DatabaseUnavailable: Postgres is away; the leases run out by themselves.
        """
        with self._database.begin() as session:
            deliveries.release(session, claims)
