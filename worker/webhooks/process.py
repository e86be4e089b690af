"""One deliverer process: no classifier, no queue, no object store. Several may run at the same time."""

import asyncio
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import structlog

from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.logging import configure_logging
from shared.metrics.definition import Program
from shared.metrics.definitions import WEBHOOKS_IN_FLIGHT
from shared.metrics.exposition import Exposition
from shared.metrics.readings import Readings, number
from shared.programs import Heartbeat, ProgramKind, own_name
from shared.settings import Settings
from shared.tracing import configure_tracing
from shared.webhooks.clock import DatabaseClock
from shared.webhooks.urls import Policy
from worker.ready import ReadyFile
from worker.webhooks.deliverer import Deliverer
from worker.webhooks.ledger import Ledger
from worker.webhooks.metrics import DELIVERER_ZEROS
from worker.webhooks.sender import Sender

log = structlog.get_logger()

# One claims or records; the other replaces a connection that an outage left half open.
CONNECTIONS = 2
# Added to the time for attempts in flight: the last records, and handing back.
LAST_WORDS_SECONDS = 5.0
EXIT_SLOW_STOP = 75  # EX_TEMPFAIL of sysexits.h: the leases hand the rest to somebody else


def deliver(settings: Settings, *, ready: Path | None = None) -> None:
    """Deliver webhooks until SIGTERM or SIGINT.

    Args:
        settings: of this process.
        ready: a file that is touched when the database has answered, and every few seconds after.

    Raises:
        ConfigurationError: a setting makes no sense, or the port of the metrics is taken.
    """
    configure_logging(settings, program="deliverer")
    end_traces = configure_tracing(settings, program="deliverer")
    policy = Policy.of(settings)
    exposition = Exposition(Program.DELIVERER, DELIVERER_ZEROS)
    exposition.serve(settings)
    database = Database(settings, pool_size=CONNECTIONS, application="phytobatch-deliverer")
    heartbeat = Heartbeat(ProgramKind.DELIVERER, own_name())
    ledger = Ledger(settings, database, DatabaseClock(), heartbeat=heartbeat)
    if ready is not None:
        ready.unlink(missing_ok=True)
    try:
        asyncio.run(_serve(settings, policy, ledger, exposition, ReadyFile(ready)))
    finally:
        exposition.close()
        with suppress(DatabaseUnavailable), database.begin() as session:
            heartbeat.end(session)
        database.dispose()
        end_traces()


async def _serve(settings: Settings, policy: Policy, ledger: Ledger, exposition: Exposition, ready: ReadyFile) -> None:
    sender = Sender(policy, timeout_seconds=settings.webhook_timeout_seconds)
    deliverer = Deliverer(
        ledger,
        sender,
        slots=settings.webhook_in_flight,
        public_url=settings.public_url,
        shutdown_seconds=settings.shutdown_seconds,
        on_poll=ready.touch,
    )
    exposition.show(Readings({WEBHOOKS_IN_FLIGHT: number(lambda: deliverer.in_flight)}))

    def stop() -> None:
        late = threading.Timer(settings.shutdown_seconds + LAST_WORDS_SECONDS, os._exit, [EXIT_SLOW_STOP])
        late.daemon = True
        late.start()
        deliverer.stop()

    loop = asyncio.get_running_loop()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop_signal, stop)
    log.info("deliverer_ready", slots=settings.webhook_in_flight)
    try:
        await deliverer.run()
    finally:
        await sender.close()
