"""One row for each image with a final answer, as summaries count it.

``label`` is the valid label: a person's correction, otherwise the prediction if it needs no review. An image has
exactly one of ``label``, ``review`` (it needs a review and has no correction yet) and ``failure``.
"""

import uuid

from sqlalchemy import Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from shared.corrections import standing
from shared.db.models import CorrectionEntry, Image, Result
from shared.db.plans import read_a_whole_job
from shared.geography import place

_CLASSIFIED = Result.status == ImageStatus.SUCCEEDED


def answered(session: Session, job_id: uuid.UUID) -> Subquery:
    """Select the images of a job with a final answer, for statements of this transaction."""
    read_a_whole_job(session)
    is_asking = and_(_CLASSIFIED, Result.needs_review.is_(True), CorrectionEntry.label.is_(None))
    return (
        select(
            Result.seq,
            Image.name,
            Image.metadata_.label("metadata"),
            func.coalesce(CorrectionEntry.label, case((and_(_CLASSIFIED, ~is_asking), Result.label))).label("label"),
            case((is_asking, func.coalesce(Result.review_reason, ReviewReason.LOW_CONFIDENCE.value))).label("review"),
            case(
                (or_(_CLASSIFIED, CorrectionEntry.label.is_not(None)), None),
                else_=func.coalesce(Result.error_code, Result.status),
            ).label("failure"),
            Result.label.label("predicted"),
            Result.confidence,
            CorrectionEntry.label.is_not(None).label("corrected"),
            place.latitude().label("latitude"),
            place.longitude().label("longitude"),
            place.captured_at().label("captured_at"),
            place.source().label("source"),
            place.fault().label("fault"),
        )
        .join(Image, and_(Image.job_id == Result.job_id, Image.seq == Result.seq))
        .outerjoin(
            CorrectionEntry,
            and_(CorrectionEntry.job_id == Result.job_id, CorrectionEntry.seq == Result.seq, standing.OF_IMAGES),
        )
        .where(Result.job_id == job_id)
        .subquery("answered")
    )
