"""Attempts to deliver a webhook."""

from shared.metrics.definitions import WEBHOOK_ATTEMPT_SECONDS, WEBHOOK_ATTEMPTS
from worker.webhooks.message import Attempt


def count_attempt(attempt: Attempt) -> None:
    """Call it when an attempt has ended."""
    WEBHOOK_ATTEMPTS.labels(result_of(attempt)).inc()
    WEBHOOK_ATTEMPT_SECONDS.observe(attempt.milliseconds / 1000)


def result_of(attempt: Attempt) -> str:
    """``delivered``, why there is no answer, or the class of the status, as ``5xx``."""
    if attempt.delivered:
        return "delivered"
    if attempt.error is not None:
        return str(attempt.error)
    return f"{(attempt.status or 0) // 100}xx"
