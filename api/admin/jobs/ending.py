"""``retry-job`` and ``cancel-job``: the calls that owners have over HTTP, for every tenant."""

import argparse
import uuid

from sqlalchemy.orm import Session

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import transaction, wake_workers
from shared.contracts.audit import Action
from shared.contracts.states import TERMINAL_STATES
from shared.db.models import Job
from shared.errors import NotFound
from shared.jobs import lifecycle, progress
from shared.jobs.cut import ChunkSizes
from shared.settings import get_settings


def find_job(session: Session, job_id: uuid.UUID) -> Job:
    """Return a job of any tenant, locked, as it stands now.

    Raises:
        NotFound: there is none, or it is deleted.
    """
    job = lifecycle.lock_job(session, job_id)
    if job.deleted_at is not None:
        raise NotFound(f"job {job_id} is deleted; `purge` removes what is left of it")
    return job


def retry(arguments: argparse.Namespace) -> str:
    """Run the failed images of a finished job again, as `POST /v1/jobs/{id}/retry` does.

    Raises:
        NotFound: there is no such job.
        Conflict: it is not over, or nothing of it failed.
    """
    with transaction() as session:
        find_job(session, arguments.job)
        job = lifecycle.retry(session, arguments.job, sizes=ChunkSizes.of(get_settings()))
        by_operator(session, Action.JOB_RETRY, job.id, tenant_id=job.tenant_id)
        state, pending = job.state, progress.counts(job)["pending"]
    wake_workers()
    return f"Job {arguments.job} is {state}: {pending} images run again."


def cancel(arguments: argparse.Namespace) -> str:
    """Stop a job; the answers that it has are kept. Repeating it is harmless.

    Raises:
        NotFound: there is no such job.
    """
    with transaction() as session:
        find_job(session, arguments.job)
        job = lifecycle.cancel(session, arguments.job)
        by_operator(session, Action.JOB_CANCEL, job.id, tenant_id=job.tenant_id)
        state, counts = job.state, progress.counts(job)
    if state not in TERMINAL_STATES:
        return f"Job {arguments.job} is {state}: its workers end it at their next batch."
    return f"Job {arguments.job} is {state}: {counts['succeeded']} images have an answer."


def job_argument(parser: argparse.ArgumentParser) -> None:
    """Add the id of a job."""
    parser.add_argument("job", type=uuid.UUID, help="id of the job")


COMMANDS = (
    Command("retry-job", "run the failed images of a job again", retry, job_argument),
    Command("cancel-job", "stop a job and keep its answers", cancel, job_argument),
)
