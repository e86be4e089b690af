"""``python -m api``: serve HTTP on ``PHYTOBATCH_API_HOST`` and ``PHYTOBATCH_API_PORT``, one process."""

import gc
import signal
import sys

import structlog
import uvicorn

from api.connection import bounded_http
from api.main import create_app
from api.server import Server, allow_open_files
from shared.errors import ConfigurationError
from shared.listening import bound_sockets
from shared.logging import configure_logging
from shared.settings import get_settings
from shared.tracing import configure_tracing

log = structlog.get_logger()

# Requests in flight may finish: the longest is a waiting `POST /predict`. Those with `?wait=` and streams end at once.
GRACE_SECONDS = 25
# Connections to the servers, uploads on disk, and clients that do not wait.
OTHER_FILES = 1024


def main() -> int:
    """Serve until SIGTERM or SIGINT. The exit status is not 0 when the API could not start."""
    try:
        settings = get_settings()
        configure_logging(settings, program="api")
        end_traces = configure_tracing(settings, program="api")
        app = create_app(settings)
    except ConfigurationError as error:
        sys.exit(str(error))
    allow_open_files(settings.max_waiting_clients + OTHER_FILES)
    # What is there now stays to the end. Otherwise the garbage collector walks through these 250,000 objects again and
    # again: half of the processor time of a page of results was that.
    gc.collect()
    gc.freeze()
    server = Server(
        uvicorn.Config(
            app,
            http=bounded_http(settings),
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=GRACE_SECONDS,
        ),
        end_waiting=app.state.services.hub.close,
    )
    # uvicorn shuts down first and then raises the signal again; after an orderly end the exit status is 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        sockets = bound_sockets(settings.api_host, settings.api_port)
    except OSError as error:
        log.error("cannot_listen", host=settings.api_host, port=settings.api_port, reason=error.strerror or str(error))  # noqa: TRY400  # a port that is taken is no bug
        return 1
    server.run(sockets)
    end_traces()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
