"""Around one attempt: its log line, and its span in the trace of the job."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import structlog
from opentelemetry.trace import Span, SpanKind

from shared.tracing import failed, span
from shared.webhooks.deliveries import Claim
from worker.webhooks.message import Attempt

log = structlog.get_logger()


@contextmanager
def under_way(claim: Claim) -> Iterator[Callable[[Attempt], None]]:
    """Call what it gives with the attempt when that is over. The path of a receiver may be a secret: it stays out."""
    ids = {
        "delivery_id": str(claim.delivery_id),
        "webhook_id": str(claim.event_id),
        "event": claim.event_type,
        "endpoint_id": str(claim.endpoint_id),
        "tenant_id": str(claim.tenant_id),
        "job_id": str(claim.job_id or ""),
    }
    with (
        structlog.contextvars.bound_contextvars(**ids, request_id=claim.origin.request_id),
        span(
            "webhook attempt",
            parent=claim.origin.traceparent,
            kind=SpanKind.CLIENT,
            attributes={
                "server.address": urlsplit(claim.url).hostname or "",
                **{f"phytobatch.{name}": value for name, value in ids.items()},
            },
        ) as started,
    ):
        yield lambda attempt: _told(started, attempt)


def _told(started: Span, attempt: Attempt) -> None:
    error = None if attempt.error is None else attempt.error.value
    write = log.info if attempt.delivered else log.warning
    write("webhook_attempt", status=attempt.status, error=error, milliseconds=attempt.milliseconds)
    if attempt.status is not None:
        started.set_attribute("http.response.status_code", attempt.status)
    if not attempt.delivered:
        failed(error or f"the receiver answered {attempt.status}")
