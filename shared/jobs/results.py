"""Storing results, and reading them page by page while the job runs."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select, text
from sqlalchemy.orm import Session

from shared.contracts.geography import PlaceFilter, PositionFault
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.db.models import Classifier, Correction, Image, Job, Result
from shared.db.session import changed
from shared.geography.place import Place, fault, place_columns

# The first terminal answer wins. Positions are given under the lock of the job's row, so they become visible in order.
STORE = text(
    """
    WITH stored AS (
        INSERT INTO results (job_id, seq, position, status, label, confidence, probabilities, needs_review,
                             review_reason, error_code, error_detail, runtime, classifier_id, latitude, longitude,
                             altitude, heading, captured_at, position_fault)
        SELECT :job, r.seq, :position + row_number() OVER (ORDER BY r.seq), r.status, r.label, r.confidence,
               r.probabilities, r.needs_review, r.review_reason, r.error_code, r.error_detail, r.runtime,
               CASE WHEN r.status = 'succeeded' THEN CAST(:classifier AS uuid) END,
               r.latitude, r.longitude, r.altitude, r.heading, r.captured_at, r.position_fault
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            seq int, status text, label text, confidence real, probabilities real[], needs_review boolean,
            review_reason text, error_code text, error_detail text, runtime text, latitude float8, longitude float8,
            altitude float8, heading real, captured_at timestamptz, position_fault text)
        ON CONFLICT (job_id, seq) DO NOTHING
        RETURNING status)
    UPDATE jobs SET
        succeeded = succeeded + (SELECT count(*) FROM stored WHERE status = 'succeeded'),
        failed = failed + (SELECT count(*) FROM stored WHERE status = 'failed'),
        rejected = rejected + (SELECT count(*) FROM stored WHERE status = 'rejected'),
        last_position = last_position + :offered,
        open_chunks = open_chunks - :closed,
        revision = revision + 1,
        last_result_at = CASE WHEN :offered > 0 THEN now() ELSE last_result_at END,
        older_mark_at = CASE WHEN mark_at < now() - :mark_age THEN mark_at ELSE older_mark_at END,
        older_mark_done = CASE WHEN mark_at < now() - :mark_age THEN mark_done ELSE older_mark_done END,
        mark_done = CASE WHEN mark_at < now() - :mark_age
                    THEN succeeded + failed + rejected + canceled + (SELECT count(*) FROM stored) ELSE mark_done END,
        mark_at = CASE WHEN mark_at < now() - :mark_age THEN now() ELSE mark_at END
    WHERE id = :job
    """
)
MARK_AGE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class NewResult:
    """The final answer for one image, as a worker found it.

    ``probabilities`` stand in the order of the classifier's classes and sum to 1; ``confidence`` is the largest.
    ``runtime`` is what ran the classifier, as ``onnxruntime 1.32.0``. The last six are the word of the file for where
    and when it was taken (degrees WGS 84, metres, degrees clockwise from true north), or why it has none.
    """

    seq: int
    status: ImageStatus
    label: str | None = None
    confidence: float | None = None
    probabilities: tuple[float, ...] | None = None
    needs_review: bool | None = None
    review_reason: ReviewReason | None = None
    error_code: ImageErrorCode | None = None
    error_detail: str | None = None
    runtime: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    position_fault: PositionFault | None = None


def store_results(session: Session, job: Job, results: Sequence[NewResult], *, closed_chunks: int) -> None:
    """Store results and count them on the job, in one statement. The caller holds the lock of the job's row."""
    session.execute(
        STORE,
        {
            "job": job.id,
            "position": job.last_position,
            "offered": len(results),
            "closed": closed_chunks,
            "classifier": job.classifier_id,
            "mark_age": MARK_AGE,
            "rows": json.dumps([asdict(r) for r in results], default=datetime.isoformat),
        },
    )
    session.refresh(job)
    changed(session, job.id)


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results to read; ``None`` means all."""

    status: ImageStatus | None = None
    label: str | None = None
    place: PlaceFilter | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions in SQL."""
        wanted: list[ColumnElement[bool]] = []
        if self.status is not None:
            wanted.append(Result.status == self.status)
        if self.label is not None:
            wanted.append(Result.label == self.label)
        if self.place is not None:
            wanted.append(fault().is_(None) if self.place is PlaceFilter.KNOWN else fault().is_not(None))
        return wanted


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result with what is known of its image. ``metadata`` is the client's own, ``correction`` a person's."""

    result: Result
    name: str
    metadata: dict[str, Any]
    place: Place
    correction: Correction | None


def read_results(
    session: Session, job_id: uuid.UUID, *, after: int, limit: int, only: ResultFilter
) -> list[StoredResult]:
    """Results in the order in which they were stored, from behind position ``after``."""
    rows = session.execute(
        select(Result, Image.name, Image.metadata_, Correction, *place_columns())
        .join(Image, and_(Image.job_id == Result.job_id, Image.seq == Result.seq))
        .outerjoin(Correction, and_(Correction.job_id == Result.job_id, Correction.seq == Result.seq))
        .where(Result.job_id == job_id, Result.position > after, *only.conditions())
        .order_by(Result.position)
        .limit(limit)
    )
    return [StoredResult(row[0], row[1], row[2] or {}, Place.of(row), row[3]) for row in rows]


def classifier_of(session: Session, job: Job) -> Classifier | None:
    """The classifier that a job is pinned to, if it is committed."""
    return session.get(Classifier, job.classifier_id) if job.classifier_id else None
