"""Around the work on one chunk: what its log lines and its span have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry.trace import SpanKind

from shared.jobs.claims import Claim
from shared.tracing import Attributes, span


@contextmanager
def at_work(claim: Claim, *, worker: str) -> Iterator[None]:
    """Every log line within names job, chunk, tenant, and the request that asked for the work; so does the span."""
    ids: Attributes = {
        "job_id": str(claim.job_id),
        "chunk": claim.no,
        "kind": claim.kind.value,
        "tenant_id": str(claim.tenant_id),
    }
    numbers: Attributes = {"attempt": claim.attempt, "first_seq": claim.first_seq, "last_seq": claim.last_seq}
    with (
        structlog.contextvars.bound_contextvars(**ids, request_id=claim.origin.request_id),
        span(
            f"chunk {claim.kind.value}",
            parent=claim.origin.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={f"phytobatch.{name}": value for name, value in {**ids, **numbers, "worker": worker}.items()},
        ),
    ):
        yield
