"""Traces by OpenTelemetry, off by default: one trace follows a job from its POST over its chunks to its webhooks.

Wake-ups carry no content, so the context of a trace travels with the job: ``jobs.traceparent`` (W3C Trace Context,
section 3.2) is written by the request that makes the job, and read with every claim. If no endpoint is set, the SDK is
not imported, and a span costs a microsecond.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.typing import EventDict

from shared.settings import Settings
from shared.version import VERSION

INSTRUMENTATION = "phytobatch"
TRACEPARENT = "traceparent"
EXPORT_SECONDS = 5.0

Attributes = Mapping[str, str | int | float | bool]

_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class Origin:
    """The request from which work comes: its id for the logs, its trace for the spans."""

    request_id: str | None = None
    traceparent: str | None = None


def configure_tracing(settings: Settings, *, program: str) -> Callable[[], None]:
    """Send spans to the endpoint of the settings, if there is one.

    Returns:
        A function to call at the end of the program: it sends the remaining spans.
    """
    if settings.traces_endpoint is None:
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    about = {"service.namespace": "phytobatch", "service.name": f"phytobatch-{program}"}
    provider = TracerProvider(
        resource=Resource.create({**about, "service.version": VERSION}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_ratio)),
    )
    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown


@contextmanager
def span(
    name: str,
    *,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """Open a span around a block; an exception that leaves the block is recorded, and makes it an error.

    Args:
        name: of the operation, without ids.
        parent: the ``traceparent`` that it belongs to, as a job keeps it; the current span is linked then. Without
            one it belongs to the current span.
        kind: the role of the operation between programs.
        attributes: ids and numbers.
    """
    here = trace.get_current_span().get_span_context()
    links = [Link(here)] if parent and here.is_valid else []
    with trace.get_tracer(INSTRUMENTATION).start_as_current_span(
        name, context=_context(parent), kind=kind, attributes=dict(attributes or {}), links=links
    ) as started:
        yield started


def failed(reason: str) -> None:
    """Make the current span an error although no exception leaves it."""
    trace.get_current_span().set_status(Status(StatusCode.ERROR, reason))


def current_origin() -> Origin:
    """Return the request id that is bound to the logs, and the current span."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return Origin(None if request_id is None else str(request_id), carrier.get(TRACEPARENT))


def name_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span to a log line, so that it leads to its trace (a structlog processor)."""
    here = trace.get_current_span().get_span_context()
    if here.is_valid:
        event["trace_id"] = trace.format_trace_id(here.trace_id)
        event["span_id"] = trace.format_span_id(here.span_id)
    return event


def _context(parent: str | None) -> Context | None:
    return _propagator.extract({TRACEPARENT: parent}) if parent else None
