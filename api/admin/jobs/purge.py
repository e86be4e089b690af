"""``purge``: remove a job, what is left of deleted ones, and objects that no job knows."""

import argparse
import time
import uuid
from collections.abc import Callable

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import open_database, transaction
from api.admin.jobs.ending import find_job
from shared.contracts.audit import Action
from shared.contracts.receipts import RemovalReason
from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Job
from shared.db.session import Database
from shared.errors import InvalidRequest
from shared.jobs import claims, lifecycle, requeue
from shared.jobs.claims import Claim, Offer
from shared.jobs.purge import objects_by_job, remove_job, without_job
from shared.programs import own_name
from shared.settings import get_settings
from shared.storage.s3 import S3Store

OFFERS = tuple(Offer(ChunkKind.PURGE, priority) for priority in Priority)
# Renewed between steps; a command that dies leaves the rest to a worker after this.
LEASE_SECONDS = 120.0
PROGRAM = "api.admin purge"
MEBIBYTE = 1024 * 1024


def run(arguments: argparse.Namespace) -> str:
    """Finish the removal of deleted jobs here and now; with an id, delete that job first. There is no way back.

    Workers do the same by themselves, between other work.

    Raises:
        NotFound: there is no such job.
        Conflict: it is still active; cancel it first.
        StoreUnavailable: the object store is away.
    """
    if arguments.orphans:
        return _purge_orphans(delete=arguments.delete)
    if arguments.delete:
        raise InvalidRequest("--delete goes with --orphans; a job is named by its id")
    with open_database() as database:
        if arguments.job is not None:
            _delete(database, arguments.job)
        removed = _remove_deleted(database)
        with database.begin() as session:
            left = session.query(Job).where(Job.deleted_at.is_not(None)).count()
    deleted = "" if arguments.job is None else f"Job {arguments.job} is deleted. "
    others = f"; workers are at {left} more" if left else ""
    return f"{deleted}{removed} deleted jobs were removed here, with photographs and results{others}."


def _delete(database: Database, job_id: uuid.UUID) -> None:
    with database.begin() as session:
        job = find_job(session, job_id)
        lifecycle.delete(session, job_id, reason=RemovalReason.OPERATOR, by=PROGRAM)
        by_operator(session, Action.JOB_DELETE, job_id, tenant_id=job.tenant_id)


def _remove_deleted(database: Database) -> int:
    store = S3Store(get_settings(), connections=1)
    with database.begin() as session:
        requeue.make_due(session, kind=ChunkKind.PURGE)
    removed = 0
    while (held := _claim(database)) is not None:
        remove_job(database, store, held, beat=_renewing(database, held))
        removed += 1
    return removed


def _renewing(database: Database, held: Claim) -> Callable[[], None]:
    """Renew the lease, as often as a worker would."""
    renewed_at = time.monotonic()

    def beat() -> None:
        nonlocal renewed_at
        if time.monotonic() - renewed_at > LEASE_SECONDS / 4:
            database.run(lambda session: claims.renew(session, held, lease_seconds=LEASE_SECONDS))
            renewed_at = time.monotonic()

    return beat


def _claim(database: Database) -> Claim | None:
    name = f"admin:{own_name()}"
    with database.begin() as session:
        return claims.claim(session, OFFERS, worker=name, lease_seconds=LEASE_SECONDS, heeds_pauses=False)


def _purge_orphans(*, delete: bool) -> str:
    store = S3Store(get_settings(), connections=1)
    by_job = objects_by_job(store)
    with open_database() as database, database.begin() as session:
        orphans = without_job(session, by_job)
    objects = [stored for job_id in orphans for stored in by_job[job_id]]
    if not objects:
        return "Every upload and export belongs to a job."
    size = sum(stored.size for stored in objects) / MEBIBYTE
    summary = f"{len(objects)} objects ({size:.1f} MiB) of {len(orphans)} jobs that this database does not know"
    if not delete:
        return f"{summary}. Is it the right database? Then `purge --orphans --delete` removes them."
    with transaction() as session:  # First, so that nothing is removed without a word of it.
        by_operator(session, Action.OBJECT_PURGE, "orphans", objects=len(objects), jobs=len(orphans))
    store.delete(stored.key for stored in objects)
    return f"{summary} are removed."


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("job", type=uuid.UUID, nargs="?", help="id of a job to delete: a draft, or one that is over")
    what.add_argument("--orphans", action="store_true", help="find objects whose job is not in the database")
    parser.add_argument("--delete", action="store_true", help="with --orphans: remove them")


COMMANDS = (Command("purge", "remove a job, deleted jobs, or objects without a job", run, _arguments),)
