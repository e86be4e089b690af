"""``requeue``: make work claimable before its time."""

import argparse
import uuid
from datetime import timedelta

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import open_database, transaction, wake_workers
from api.admin.times import short
from shared.contracts.audit import Action
from shared.db.session import Database
from shared.errors import Conflict, NotFound
from shared.jobs import exports, requeue
from shared.jobs.sweep import CrashPolicy
from shared.settings import Settings, get_settings

# A worker that lives renews its leases at this pace; one that missed two renewals is slow or dead.
MISSED_RENEWALS = 2


def run(arguments: argparse.Namespace) -> str:
    """End the pauses of ready chunks, take back the chunks of a worker that is dead, or make a failed export again.

    The first two happen by themselves: a pause ends after PHYTOBATCH_RELEASE_BACKOFF_SECONDS, a lease after
    PHYTOBATCH_LEASE_SECONDS. Wake-ups are published, so that workers poll at once.

    Raises:
        NotFound: this worker holds nothing, or there is no such export.
        Conflict: it renewed its leases a moment ago, so it lives; or the export did not fail.
    """
    if arguments.worker is not None:
        text = _take_back(arguments.worker, force=arguments.force)
    elif arguments.export is not None:
        with transaction() as session:
            exports.start_over(session, arguments.export)
            by_operator(session, Action.CHUNK_REQUEUE, arguments.export)
        text = f"Export {arguments.export} is queued, with all its attempts."
    else:
        with transaction() as session:
            ended = requeue.make_due(session, job_id=arguments.job)
            by_operator(session, Action.CHUNK_REQUEUE, arguments.job or "all", chunks=ended)
        text = f"{ended} chunks were waiting for their time and are due now."
    wake_workers()
    return text


def _take_back(worker: str, *, force: bool) -> str:
    settings = get_settings()
    with open_database() as database:
        _check_dead(database, worker, settings, force=force)
        taken = requeue.take_back_all(database, worker, CrashPolicy.of(settings))
        with database.begin() as session:  # They were taken back one by one, in transactions of their own.
            by_operator(session, Action.CHUNK_REQUEUE, worker, chunks=taken, force=force)
    return f"{taken} chunks of {worker} are taken back; their attempts count."


def _check_dead(database: Database, worker: str, settings: Settings, *, force: bool) -> None:
    with database.begin() as session:
        sign = requeue.last_renewal(session, worker, lease_seconds=settings.lease_seconds)
    if sign.renewed_ago is None:
        raise NotFound(f"worker {worker!r} holds no chunk; `list-workers` shows who does")
    alive = sign.renewed_ago < timedelta(seconds=MISSED_RENEWALS * settings.lease_renew_seconds)
    if alive and not force:
        raise Conflict(
            f"{worker} renewed a lease {short(sign.renewed_ago)} ago, so it lives or died just now: stop it with "
            "SIGTERM and it hands its chunks back itself; if you know that it is dead, say --force"
        )


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--job", type=uuid.UUID, metavar="ID", help="only the chunks of this job")
    what.add_argument("--export", type=uuid.UUID, metavar="ID", help="make this export, which failed, again")
    what.add_argument("--worker", metavar="NAME", help="take back the chunks of this worker, which is dead")
    parser.add_argument("--force", action="store_true", help="even if the worker seems to live")


COMMANDS = (
    Command(
        "requeue", "make waiting chunks due, take back those of a dead worker, or make an export again", run, _arguments
    ),
)
