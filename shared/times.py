"""Times as text, as exports, events and webhooks write them."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC, with microseconds if it has some, as ``2026-06-01T08:01:05Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
