"""Background exports: add one, read them. Every query names the tenant."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shared.contracts.exports import ExportContent, ExportFormat
from shared.contracts.geography import PlaceFilter
from shared.contracts.states import ImageStatus
from shared.db.models import Chunk, Export, Job
from shared.errors import LimitExceeded, NotFound
from shared.exports.contents import check_format
from shared.exports.sheet import check_has_tiles
from shared.jobs.exports import add_export_chunk
from shared.jobs.results import ResultFilter


def parameters_of(content: ExportContent, only: ResultFilter) -> dict[str, Any]:
    """Write content and filter as they are stored."""
    return {"content": content, "status": only.status, "label": only.label, "place": only.place}


def content_of(parameters: dict[str, Any]) -> ExportContent:
    """Read the content that was stored; the version before has one alone."""
    return ExportContent(parameters.get("content", ExportContent.RESULTS))


def filter_of(parameters: dict[str, Any]) -> ResultFilter:
    """Read the filter that was stored."""
    status, place = parameters.get("status"), parameters.get("place")
    return ResultFilter(
        status=None if status is None else ImageStatus(status),
        label=parameters.get("label"),
        place=None if place is None else PlaceFilter(place),
    )


def request(
    session: Session, job: Job, content: ExportContent, name: ExportFormat, only: ResultFilter, *, max_exports: int
) -> Export:
    """Add an export, and its chunk, to a job whose row the caller has locked.

    Raises:
        InvalidRequest: the format cannot hold the content, or the job has no tiles.
        LimitExceeded: the job has as many as it may.
    """
    check_format(content, name)
    if content is ExportContent.TILES:
        check_has_tiles(job)
    kept = session.scalar(select(func.count()).where(Export.job_id == job.id)) or 0
    if kept >= max_exports:
        raise LimitExceeded(
            f"this job has {kept} exports already, at most {max_exports} are kept; delete one",
            setting="PHYTOBATCH_MAX_EXPORTS_PER_JOB",
        )
    made = Export(tenant_id=job.tenant_id, job_id=job.id, format=name, parameters=parameters_of(content, only))
    session.add(made)
    session.flush()
    add_export_chunk(session, job, made.id, content)
    session.refresh(made)
    return made


def get_export(session: Session, tenant_id: uuid.UUID, export_id: uuid.UUID) -> tuple[Export, str | None]:
    """Read one export, and the name of its job.

    Raises:
        NotFound: this tenant has no such export, or it has expired.
    """
    found = session.execute(
        select(Export, Job.name)
        .join(Job, Job.id == Export.job_id)
        .where(Export.id == export_id, Export.tenant_id == tenant_id, Job.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no export {export_id}; it may have expired")
    return found[0], found[1]


def list_exports(session: Session, job: Job, *, after: uuid.UUID | None, limit: int) -> tuple[Sequence[Export], bool]:
    """Read a page of the exports of a job, newest first, and whether there are more."""
    wanted = select(Export).where(Export.job_id == job.id).order_by(Export.id.desc()).limit(limit + 1)
    if after is not None:
        wanted = wanted.where(Export.id < after)
    found = session.scalars(wanted).all()
    return found[:limit], len(found) > limit


def remove(session: Session, tenant_id: uuid.UUID, export_id: uuid.UUID) -> None:
    """Forget an export whose file is gone. A worker that still makes it finds its lease lost."""
    # Its chunk first: whoever changes both rows locks them in this order.
    session.execute(delete(Chunk).where(Chunk.export_id == export_id, Chunk.tenant_id == tenant_id))
    session.execute(delete(Export).where(Export.id == export_id, Export.tenant_id == tenant_id))
