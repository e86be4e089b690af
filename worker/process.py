"""One worker process: its parts, and the order in which they start and stop."""

import os
import threading
from contextlib import suppress
from dataclasses import dataclass

import structlog

from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.hints import Hints
from shared.metrics.definition import Program
from shared.metrics.exposition import Exposition
from shared.programs import Heartbeat, ProgramKind, own_name
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.s3 import S3Store
from worker.context import Context
from worker.leasing.leases import LeaseKeeper
from worker.leasing.lifeline import Lifeline
from worker.leasing.slots import count_slots
from worker.loop import tasks
from worker.loop.poller import FallbackPoller
from worker.loop.work import WorkLoop
from worker.metrics import WORKER_ZEROS, worker_readings
from worker.ready import ReadyFile
from worker.serving import open_pipelines

log = structlog.get_logger()

# Each slot and each thread of the poller may hold a connection at the same moment, and so may the lease keeper and the
# thread that takes back what a dead worker held; the lifeline has one of its own.
SPARE_CONNECTIONS = 2
LIFELINE_CONNECTIONS = 1
# Short, since a worker repeats its transactions after an outage.
TRUST_SECONDS = 1.0
EXIT_SLOW_STOP = 75  # EX_TEMPFAIL of sysexits.h: other workers get the rest when the leases end


@dataclass(slots=True)
class WorkerProcess:
    """The parts of this process, from its start to its end."""

    context: Context
    exposition: Exposition
    hints: Hints
    keeper: LeaseKeeper
    loop: WorkLoop
    poller: FallbackPoller
    lifeline: Lifeline
    heartbeat: Heartbeat
    stopping: threading.Event

    def stop(self) -> None:
        """Claim no more chunks and hand back running ones between two batches; exit after ``shutdown_seconds``."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        seconds = self.context.settings.shutdown_seconds
        log.info("worker_stopping", shutdown_seconds=seconds)
        late = threading.Timer(seconds, os._exit, [EXIT_SLOW_STOP])
        late.daemon = True
        late.start()

    def close(self) -> None:
        """Wait for the chunks of the poller (Celery waits for its own only), then close everything."""
        self.poller.join()
        self.keeper.close()
        self.lifeline.close()
        with suppress(DatabaseUnavailable), self.context.database.begin() as session:
            self.heartbeat.end(session)
        for pipeline in self.context.pipelines.values():
            pipeline.close()
        self.hints.stop()
        self.exposition.close()
        self.context.database.dispose()


_current: list[WorkerProcess] = []


def current() -> WorkerProcess:
    """Return the process that ``start`` made."""
    return _current[0]


def start(settings: Settings) -> WorkerProcess:
    """Load, warm and register the classifiers, and begin to claim chunks.

    Raises:
        ClassifierError: a classifier cannot be used.
        ConfigurationError: the setting of the classifiers is not valid, one is not published, or the port of the
            metrics is taken.
        Conflict: a name and version are registered with other weights.
        DatabaseUnavailable: Postgres stayed away for a minute.
        StoreUnavailable: a published classifier cannot be read, because the object store is away.
    """
    exposition = Exposition(Program.WORKER, WORKER_ZEROS)
    exposition.serve(settings)
    hints = Hints(settings)
    database = Database(
        settings,
        pool_size=2 * count_slots(settings) + SPARE_CONNECTIONS,
        application="phytobatch-worker",
        announce=hints.announce,
        trust_seconds=TRUST_SECONDS,
    )
    connections = settings.download_threads + settings.inspect_threads + settings.worker_slots
    store = S3Store(settings, connections=connections)
    context = Context(
        settings=settings,
        database=database,
        store=store,
        wakeups=Wakeups(settings),
        pipelines=open_pipelines(settings, database, store),
        name=own_name(),
    )
    process = _assemble(context, exposition, hints)
    _current[:] = [process]
    return process


def _assemble(context: Context, exposition: Exposition, hints: Hints) -> WorkerProcess:
    settings = context.settings
    stopping = threading.Event()
    ready = ReadyFile.from_environment()
    lifeline = Lifeline(context.database, grace_seconds=settings.lifeline_grace_seconds)
    heartbeat = Heartbeat(ProgramKind.WORKER, context.name)
    context.database.run(heartbeat.write)
    keeper = LeaseKeeper(
        context.database,
        lease_seconds=settings.lease_seconds,
        renew_seconds=settings.lease_renew_seconds,
        stuck_seconds=settings.watchdog_seconds,
        lifeline=lambda: lifeline.number,
        heartbeat=heartbeat,
        # The poller touches the file of an idle worker; during a long chunk the keeper must.
        on_round=ready.touch,
    )
    loop = WorkLoop(context, keeper, stopping)
    poller = FallbackPoller(context, loop, stopping, threads=count_slots(settings), ready=ready)
    tasks.install(loop, poller)
    exposition.show(worker_readings(context.pipelines.values(), loop.bulk_slots))
    hints.start()
    keeper.start()
    lifeline.start(poller.take_back_from)
    poller.start()
    ready.touch()
    log.info("worker_ready", slots=settings.worker_slots)
    return WorkerProcess(
        context=context,
        exposition=exposition,
        hints=hints,
        keeper=keeper,
        loop=loop,
        poller=poller,
        lifeline=lifeline,
        heartbeat=heartbeat,
        stopping=stopping,
    )
