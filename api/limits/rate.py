"""The rate of requests of a key: counted in Redis over a sliding minute, by the library `limits`.

Redis is no truth here either: while it is away, nobody is held back.
"""

import math
import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from shared.errors import RateLimited
from shared.limits.tenant import effective
from shared.metrics.definitions import REDIS_ERRORS
from shared.queue import PAUSE_AFTER_FAILURE_SECONDS
from shared.redis_connection import pool
from shared.settings import Settings

log = structlog.get_logger()

WINDOW_SECONDS = 60
# Every request asks Redis first, so a silent one is given up soon.
TIMEOUT_SECONDS = 0.25
POLICY = "requests"


@dataclass(frozen=True, slots=True)
class Standing:
    """The requests that a key has left; ``reset`` is in seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return the headers of draft-ietf-httpapi-ratelimit-headers (structured fields, RFC 9651)."""
        return {
            "RateLimit-Policy": f'"{POLICY}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{POLICY}";r={self.remaining};t={self.reset}',
        }

    def refusal(self) -> RateLimited:
        """Make the error for a request too many."""
        return RateLimited(
            f"this key may ask {self.limit} times a minute; ask again in {self.reset} s, and wait between the requests",
            retry_after=self.reset,
            setting="PHYTOBATCH_REQUESTS_PER_MINUTE",
        )


class RateLimiter:
    """The limiter of a process; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Connect at the first request."""
        self._setting = settings.requests_per_minute
        self._windows = SlidingWindowCounterRateLimiter(
            RedisStorage(
                "redis://",  # where it is, the pool knows
                pool(settings, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS),
                key_prefix=f"{settings.broker_key_prefix}rate",
            )
        )
        self._away_until = 0.0

    def count(self, key: str, own: int | None) -> tuple[bool, Standing | None]:
        """Count one request.

        Args:
            key: the public part of the API key.
            own: the limit of its tenant, where it has one.

        Returns:
            Whether the request may go on; and what is left, ``None`` without a limit and while Redis is away.
        """
        limit = effective(own, self._setting)
        if limit is None or time.monotonic() < self._away_until:
            return True, None
        item = RateLimitItemPerMinute(limit)
        try:
            allowed = self._windows.hit(item, key)
            window = self._windows.get_window_stats(item, key)
        except (RedisError, OSError) as error:
            self._is_away(error)
            return True, None
        # By the clock of this process, as the library does: a length of time, not a moment.
        reset = max(1, math.ceil(window.reset_time - time.time()))
        return allowed, Standing(limit, window.remaining if allowed else 0, reset)

    def _is_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
        REDIS_ERRORS.inc()
        log.warning("rate_limits_not_counted", reason=type(error).__name__)
