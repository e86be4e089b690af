"""The images of a draft: they are named once, or again."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import JobState
from shared.db.models import Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.db.session import changed
from shared.errors import Conflict, LimitExceeded
from shared.storage.keys import upload_key

COPY = (
    "COPY images (job_id, seq, name, size, sha256, bucket, object_key, metadata, latitude, longitude, altitude, "
    "heading, captured_at, height_above_ground) FROM STDIN"
)


@dataclass(frozen=True, slots=True)
class PendingImage:
    """An image of a job that has no result yet. ``size`` in bytes, ``bucket`` ``None`` for our own."""

    seq: int
    name: str
    size: int
    sha256: bytes | None
    bucket: str | None
    object_key: str


def pending_images(
    session: Session, job_id: uuid.UUID, *, first_seq: int = 0, last_seq: int = 2**31 - 1
) -> list[PendingImage]:
    """Read the images of a range of sequence numbers that have no result yet, in order."""
    rows = session.execute(
        text(
            f"""
            SELECT i.seq, i.name, i.size, i.sha256, i.bucket, i.object_key FROM {IMAGES_WITH_RESULT}
            WHERE i.job_id = :job AND i.seq BETWEEN :first AND :last AND r.seq IS NULL ORDER BY i.seq
            """  # noqa: S608  # a text of shared.db.plans
        ),
        {"job": job_id, "first": first_seq, "last": last_seq},
    )
    return [PendingImage(*row) for row in rows]


def named_objects(session: Session, job: Job, bucket: str) -> dict[str, str]:
    """Read key to name of the objects of a bucket that are images of the job already."""
    if job.total == 0:
        return {}
    rows = session.execute(
        text("SELECT object_key, name FROM images WHERE job_id = :job AND bucket = :bucket"),
        {"job": job.id, "bucket": bucket},
    )
    return {row.object_key: row.name for row in rows}


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image as a client names it.

    ``size`` in bytes; position in WGS 84 degrees and metres; ``heading`` in degrees clockwise from true north;
    ``height_above_ground`` of the camera in metres.
    """

    name: str
    size: int
    sha256: bytes | None = None
    metadata: dict[str, Any] | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    height_above_ground: float | None = None
    # For imports: where the object lies. Uploads get a key of ours.
    bucket: str | None = None
    object_key: str | None = None


def add_images(session: Session, job: Job, new: Sequence[NewImage], *, max_images: int) -> list[int]:
    """Add images to a job whose row the caller has locked.

    A name that the job has already, with the same size and checksum, keeps its number: so a client may repeat a page
    whose answer was lost, or whose URLs have expired.

    Returns:
        The sequence number of each image, in the order given.

    Raises:
        Conflict: the job is past its draft, or a name stands for another file already.
        LimitExceeded: the job would have more than ``max_images``.
    """
    if job.state not in {JobState.DRAFT, JobState.VALIDATING}:
        raise Conflict(f"this job is {job.state}; images can be added to a draft only", code="job-not-draft")
    numbers, fresh = _number(new, _known(session, job, [image.name for image in new]), job.total + 1)
    if job.total + len(fresh) > max_images:
        raise LimitExceeded(
            f"a job has at most {max_images} images, this one would have {job.total + len(fresh)}; "
            "split the set into several jobs",
            setting="PHYTOBATCH_MAX_IMAGES_PER_JOB",
        )
    _copy(session, job, fresh)
    return [numbers[image.name] for image in new]


def _number(
    new: Sequence[NewImage], known: dict[str, tuple[int, int, bytes | None]], next_seq: int
) -> tuple[dict[str, int], list[tuple[int, NewImage]]]:
    """Give each name its number, and say which images are new."""
    numbers: dict[str, int] = {}
    fresh: list[tuple[int, NewImage]] = []
    for image in new:
        seq, size, sha256 = known.setdefault(image.name, (next_seq + len(fresh), image.size, image.sha256))
        if (size, sha256) != (image.size, image.sha256):
            raise Conflict(
                f"this job has another file with the name {image.name!r}; give each file its own name",
                code="image-name-taken",
            )
        if seq == next_seq + len(fresh):
            fresh.append((seq, image))
        numbers[image.name] = seq
    return numbers, fresh


def _known(session: Session, job: Job, names: list[str]) -> dict[str, tuple[int, int, bytes | None]]:
    """Read number, size and checksum of the names that the job has already, by name."""
    if job.total == 0:
        return {}
    rows = session.execute(
        text("SELECT name, seq, size, sha256 FROM images WHERE job_id = :job AND name = ANY(:names)"),
        {"job": job.id, "names": names},
    )
    return {row.name: (row.seq, row.size, row.sha256) for row in rows}


def _copy(session: Session, job: Job, fresh: list[tuple[int, NewImage]]) -> None:
    """Write the rows with COPY: 100,000 of them take seconds."""
    if not fresh:
        return
    session.flush()
    connection = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:  # type: ignore[union-attr]  # psycopg's own
        for seq, image in fresh:
            copy.write_row(
                (
                    job.id,
                    seq,
                    image.name,
                    image.size,
                    image.sha256,
                    image.bucket,
                    image.object_key or upload_key(job.id, seq),
                    None if image.metadata is None else Jsonb(image.metadata),
                    image.latitude,
                    image.longitude,
                    image.altitude,
                    image.heading,
                    image.captured_at,
                    image.height_above_ground,
                )
            )
    session.execute(
        text("UPDATE jobs SET total = total + :n, revision = revision + 1 WHERE id = :id"),
        {"n": len(fresh), "id": job.id},
    )
    session.refresh(job)
    changed(session, job.id)
