"""Originals: the objects that hold the bytes of images."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import Image, Job
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Original:
    """An image as the client sent it. ``bucket`` is ``None`` for our own."""

    name: str
    bucket: str | None
    object_key: str


def find_original(session: Session, tenant_id: uuid.UUID, job_id: uuid.UUID, seq: int) -> Original:
    """Find the object of the image with this number.

    Raises:
        NotFound: this tenant has no such job, the job no such image, or its uploads were removed.
    """
    found = session.execute(
        select(Image.name, Image.bucket, Image.object_key, Job.originals_removed_at)
        .join(Job, Job.id == Image.job_id)
        .where(Image.job_id == job_id, Image.seq == seq, Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound(f"job {job_id} has no image {seq}")
    if found.originals_removed_at is not None and found.bucket is None:
        raise NotFound(f"the photographs of job {job_id} were removed on {found.originals_removed_at:%Y-%m-%d}")
    return Original(found.name, found.bucket, found.object_key)
