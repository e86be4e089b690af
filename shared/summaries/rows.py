"""One row for each image with a final answer, as summaries count it.

``label`` is the valid label: a person's correction, otherwise the prediction if it needs no review. An image has
exactly one of ``label``, ``review`` (it needs a review and has no correction yet) and ``failure``. What a person calls
``not_a_leaf`` is neither healthy nor diseased, and stays with those under ``review``, for that reason. One that was
classified and has no label at all, because its tiles decide nothing, needs a review and is ``undecided``.
"""

import json
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import Integer, Subquery, TableValuedAlias, Text, and_, case, cast, column, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from shared.corrections import standing
from shared.db.models import CorrectionEntry, Image, Result
from shared.db.plans import read_a_whole_job
from shared.geography import place

Sums = Mapping[str, Mapping[str, int]]  # as ``shared.tiles.tile_map.TileSums`` is stored

_CLASSIFIED = Result.status == ImageStatus.SUCCEEDED


def answered(session: Session, job_id: uuid.UUID, recounted: Mapping[int, Sums] = MappingProxyType({})) -> Subquery:
    """Select the images of a job with a final answer, for statements of this transaction.

    Args:
        session: a transaction.
        job_id: the job.
        recounted: for images of which a person corrected single tiles, the sums as they are then.
    """
    read_a_whole_job(session)
    counts = _table_of(recounted)
    needs_a_person = or_(Result.needs_review.is_(True), Result.label.is_(None))
    says_no_leaf = CorrectionEntry.label == ReviewReason.NOT_A_LEAF.value
    is_asking = and_(_CLASSIFIED, needs_a_person, CorrectionEntry.label.is_(None))
    return (
        select(
            Result.seq,
            Image.name,
            Image.metadata_.label("metadata"),
            case(
                (says_no_leaf, None),
                else_=func.coalesce(CorrectionEntry.label, case((and_(_CLASSIFIED, ~is_asking), Result.label))),
            ).label("label"),
            case(
                (says_no_leaf, ReviewReason.NOT_A_LEAF.value),
                (is_asking, func.coalesce(Result.review_reason, ReviewReason.LOW_CONFIDENCE.value)),
            ).label("review"),
            case(
                (or_(_CLASSIFIED, CorrectionEntry.label.is_not(None)), None),
                else_=func.coalesce(Result.error_code, Result.status),
            ).label("failure"),
            and_(is_asking, Result.label.is_(None)).label("undecided"),
            Result.tile_sums,
            counts.c.sums.label("recounted"),
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
        .outerjoin(counts, counts.c.seq == Result.seq)
        .where(Result.job_id == job_id)
        .subquery("answered")
    )


def _table_of(recounted: Mapping[int, Sums]) -> TableValuedAlias:
    rows = json.dumps([{"seq": seq, "sums": sums} for seq, sums in recounted.items()])
    columns = (column("seq", Integer), column("sums", JSONB))
    return (
        func.jsonb_to_recordset(cast(literal(rows, Text), JSONB))
        .table_valued(*columns)
        .render_derived("counts", with_types=True)
    )
