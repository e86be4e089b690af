"""The context of one attempt: its log line, and its span in the trace of the job."""

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
def attempt_context(claim: Claim) -> Iterator[Callable[[Attempt], None]]:
    """Yield a function to call with the finished attempt. The path of the URL may be a secret, so it is not logged."""
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
        ) as attempt_span,
    ):
        yield lambda attempt: _report(attempt_span, attempt)


def _report(attempt_span: Span, attempt: Attempt) -> None:
    error = None if attempt.error is None else attempt.error.value
    write = log.info if attempt.delivered else log.warning
    write("webhook_attempt", status=attempt.status, error=error, milliseconds=attempt.milliseconds)
    if attempt.status is not None:
        attempt_span.set_attribute("http.response.status_code", attempt.status)
    if not attempt.delivered:
        failed(error or f"the receiver answered {attempt.status}")
