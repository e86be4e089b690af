"""Where the bytes of an image lie."""

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
    """Where the image with this number is.

    Raises:
        NotFound: this tenant has no such job, or the job no such image.
    """
    found = session.execute(
        select(Image.name, Image.bucket, Image.object_key)
        .join(Job, Job.id == Image.job_id)
        .where(Image.job_id == job_id, Image.seq == seq, Job.tenant_id == tenant_id, Job.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NotFound(f"job {job_id} has no image {seq}")
    return Original(*found)
