"""The breaker of an endpoint: after some failures in a row it is left alone for a while, then tried with one delivery.

Its state is three columns of ``webhook_endpoints``, so all deliverers share it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.contracts.states import DisabledReason
from shared.settings import Settings

# An answer with one of these and `Retry-After` speaks of the whole receiver (RFC 6585, section 4; RFC 9110, 15.6.4).
OVERLOADED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# Far beyond any longest pause.
MAX_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Health:
    """The health of an endpoint: the columns of the same names.

    ``consecutive_failures`` counts what decides: an attempt that was under way when the breaker opened, and fails
    later, says nothing new.
    """

    consecutive_failures: int = 0
    failing_since: datetime | None = None
    open_until: datetime | None = None
    last_success_at: datetime | None = None

    def after_success(self, now: datetime) -> "Health":
        """Return the health after a delivery was taken: whatever was before is forgotten."""
        return Health(last_success_at=now)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt.

    ``status`` of the receiver; ``retry_after``: the pause that it asked for, in seconds; ``probe``: this was the one
    delivery by which an open breaker tries whether the receiver is back.
    """

    status: int | None = None
    retry_after: float | None = None
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Breaker:
    """The rules by which an endpoint is left alone for a while, or given up."""

    failures: int
    first_pause: timedelta
    longest_pause: timedelta
    given_up_after: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Breaker":
        """Read the breaker from the settings."""
        return cls(
            failures=settings.webhook_breaker_failures,
            first_pause=timedelta(seconds=settings.webhook_breaker_seconds),
            longest_pause=timedelta(seconds=settings.webhook_breaker_max_seconds),
            given_up_after=timedelta(hours=settings.webhook_disable_hours),
        )

    def after_failure(self, health: Health, failure: Failure, now: datetime) -> Health:
        """Return the health after one more failure.

        ``Retry-After`` of an overloaded receiver pauses the whole endpoint, but no longer than the breaker would: what
        it says of the one delivery is honoured in full by the schedule.
        """
        counts = failure.probe or health.consecutive_failures < self.failures
        failed = replace(
            health,
            consecutive_failures=health.consecutive_failures + counts,
            failing_since=health.failing_since or now,
        )
        pauses = [self._requested_pause(failure)]
        if counts:
            pauses.append(self._pause(failed.consecutive_failures))
        return replace(failed, open_until=_later(health.open_until, now, max(pauses)))

    def verdict(self, health: Health, failure: Failure, now: datetime) -> DisabledReason | None:
        """Return the reason to disable an endpoint after this failure; ``None``: it goes on."""
        if failure.status == HTTPStatus.GONE:
            return DisabledReason.GONE
        since = health.failing_since
        return DisabledReason.FAILING if since is not None and since <= now - self.given_up_after else None

    def _pause(self, consecutive_failures: int) -> timedelta:
        probes = consecutive_failures - self.failures
        if probes < 0:
            return timedelta(0)
        # The exponent is bounded so that the product stays a timedelta.
        doubled = self.first_pause.total_seconds() * 2.0 ** min(probes, MAX_DOUBLINGS)
        return min(timedelta(seconds=doubled), self.longest_pause)

    def _requested_pause(self, failure: Failure) -> timedelta:
        if failure.status not in OVERLOADED or not failure.retry_after:
            return timedelta(0)
        return min(timedelta(seconds=failure.retry_after), self.longest_pause)


def _later(open_until: datetime | None, now: datetime, pause: timedelta) -> datetime | None:
    """Return the end of the pause: the one that was decided before, or the new one, where that ends later."""
    if not pause:
        return open_until
    until = now + pause
    return until if open_until is None else max(open_until, until)
