"""The pauses before a request is sent again: pure arithmetic, without a clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_RANDOM = secrets.SystemRandom()


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with jitter, bounded by a total time.

    Attributes:
        total_seconds: from the first attempt; no pause may end later. 0 never repeats.
        first_seconds: upper bound of the first pause; it doubles each time.
        longest_seconds: upper bound of any pause that the server did not ask for.
        rate_limit_seconds: the same as ``total_seconds``, if that is less, where the server says that the key has
            asked too often: it is there, and knows when to come back, within a minute.
    """

    total_seconds: float = 60.0
    first_seconds: float = 0.5
    longest_seconds: float = 20.0
    rate_limit_seconds: float = 75.0
    random: Callable[[], float] = _RANDOM.random

    def pause(
        self, attempt: int, *, elapsed: float, retry_after: float | None = None, rate_limited: bool = False
    ) -> float | None:
        """Return the seconds to wait after failed attempt number ``attempt`` (from 0), or None to give up.

        The server's ``retry_after`` is a lower bound: jitter of up to a tenth is added, so that many clients do not
        come back at the same moment.
        """
        if retry_after is not None:
            pause = retry_after * (1 + 0.1 * self.random())
        else:
            bound = min(self.longest_seconds, self.first_seconds * 2 ** min(attempt, 32))
            pause = bound * (0.5 + 0.5 * self.random())
        return pause if elapsed + pause <= self._total(rate_limited=rate_limited) else None

    def _total(self, *, rate_limited: bool) -> float:
        longer = rate_limited and self.total_seconds > 0
        return max(self.total_seconds, self.rate_limit_seconds) if longer else self.total_seconds


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read the seconds of a ``Retry-After`` header: a number or an HTTP date (RFC 9110 section 10.2.3).

    Returns:
        Seconds, at least 0; None where the header is absent or makes no sense.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):  # Python before 3.10 raises the former.
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - (now or datetime.now(timezone.utc))).total_seconds())
