"""``geo.txt`` and CSV files of positions and metadata, sent for the images of a draft."""

import uuid

import structlog

from api.auth import Caller
from api.geography.schemas import MAX_NAMED, SidecarReport, UnmatchedLine
from api.services import Services
from shared.contracts import stored
from shared.contracts.states import JobState
from shared.contracts.stored import NAME_LENGTH
from shared.db.models import Job
from shared.errors import Conflict
from shared.geography.sidecar.read import read_sidecar
from shared.geography.sidecar.storing import Report, apply_sidecar
from shared.jobs import queries

log = structlog.get_logger()


def take_sidecar(services: Services, caller: Caller, job_id: uuid.UUID, data: bytes, folder: str) -> SidecarReport:
    """Read the file, store its rows for the images that the draft names so far, and report the matches.

    Raises:
        SidecarInvalid: the file cannot be read.
        NotFound: this tenant has no such job.
        Conflict: the job is past its draft.
    """
    rows = read_sidecar(data)
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        _check_draft(job)
        report = apply_sidecar(session, job_id, rows, folder=folder)
    log.info("sidecar_taken", job_id=str(job_id), lines=report.lines, unmatched=len(report.unmatched))
    return _out(report)


def _check_draft(job: Job) -> None:
    if job.state != JobState.DRAFT or job.source is not None:
        raise Conflict(f"this job is {job.state}; a sidecar is taken for a draft only", code="job-not-draft")


def _out(report: Report) -> SidecarReport:
    return SidecarReport(
        lines=report.lines,
        matched=report.lines - len(report.unmatched),
        unmatched=[
            UnmatchedLine(line=u.line, name=stored.words(u.name, NAME_LENGTH), reason=u.reason)
            for u in report.unmatched[:MAX_NAMED]
        ],
        images=report.images,
        images_without_position=len(report.without_position),
        without_position=report.without_position[:MAX_NAMED],
    )
