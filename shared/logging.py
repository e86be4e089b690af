"""Structured logs: one fixed event name per line, its data as keywords, ids and not objects."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from shared.settings import Settings
from shared.tracing import name_trace

# One line per message at INFO; our own lines say the same with the ids in them.
CHATTY = ("celery.app.trace", "celery.worker.strategy", "celery.beat", "botocore.credentials")


def configure_logging(settings: Settings, *, program: str) -> None:
    """Write every log line of this process to standard error, as JSON or for people.

    Args:
        settings: ``log_level`` and ``log_format`` are read.
        program: name of the program, bound to every line.
    """

    def name_program(_logger: object, _method: str, event: EventDict) -> EventDict:
        return {"program": program, **event}

    shared: list[Processor] = [
        name_program,
        structlog.contextvars.merge_contextvars,
        name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
