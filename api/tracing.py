"""A span for every request, named by its route: the beginning of the trace of a job."""

from fastapi import FastAPI

from shared.settings import Settings

# Probes come every few seconds; event streams last for an hour, and say nothing that their job does not.
QUIET = "healthz,readyz,events$"


def install(app: FastAPI, settings: Settings) -> None:
    """Trace the requests of the application, if spans are sent anywhere."""
    if settings.traces_endpoint is None:
        return
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app, excluded_urls=QUIET, exclude_spans=["receive", "send"])
