"""Metrics of attempts to deliver a webhook."""

from shared.contracts.states import AttemptError
from shared.metrics.definitions import WEBHOOK_ATTEMPT_SECONDS, WEBHOOK_ATTEMPTS
from shared.metrics.exposition import Zeros
from worker.webhooks.message import Attempt

DELIVERED = "delivered"
STATUS_CLASSES = ("4xx", "5xx")  # 2xx is `delivered`, 3xx is `redirected`.
DELIVERER_ZEROS: Zeros = {
    WEBHOOK_ATTEMPTS: [(result,) for result in (DELIVERED, *AttemptError, *STATUS_CLASSES)],
}


def count_attempt(attempt: Attempt) -> None:
    """Count an attempt that has ended."""
    WEBHOOK_ATTEMPTS.labels(result_of(attempt)).inc()
    WEBHOOK_ATTEMPT_SECONDS.observe(attempt.milliseconds / 1000)


def result_of(attempt: Attempt) -> str:
    """Return ``delivered``, the reason why there is no answer, or the class of the status, as ``5xx``."""
    if attempt.delivered:
        return DELIVERED
    if attempt.error is not None:
        return str(attempt.error)
    return f"{(attempt.status or 0) // 100}xx"
