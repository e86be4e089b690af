"""Results: they are stored chunk by chunk, and read page by page while the job runs."""

import json
import uuid
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import BigInteger, ColumnElement, Integer, Text, bindparam, cast, func, select, text, true, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from shared.contracts import stored
from shared.contracts.geography import PlaceFilter, PositionFault
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.corrections import standing
from shared.db.models import Classifier, CorrectionEntry, Image, Job, Result
from shared.db.pages import ANY_SIZE, WEIGHT, bytes_of, cut, within
from shared.db.plans import read_a_page
from shared.db.refusals import store_or_refuse
from shared.db.session import changed
from shared.geography.place import Place, fault, place_columns
from shared.jobs.work import WORK_DONE, WORKED

log = structlog.get_logger()

# The first terminal answer wins. Positions are given under the lock of the job's row, so they become visible in order.
STORE = text(
    f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
            seq int, status text, label text, confidence real, probabilities real[], needs_review boolean,
            review_reason text, tile_sums jsonb, error_code text, error_detail text, runtime text, latitude float8,
            longitude float8, altitude float8, heading real, captured_at timestamptz, position_fault text,
            crop text, embedding text, explanation text, tile_map text)),
    stored AS (
        INSERT INTO results (job_id, seq, position, status, label, confidence, probabilities, needs_review,
                             review_reason, tile_sums, error_code, error_detail, runtime, classifier_id, latitude,
                             longitude, altitude, heading, captured_at, position_fault, crop, embedding,
                             explanation)
        SELECT :job, r.seq, :position + row_number() OVER (ORDER BY r.seq), r.status, r.label, r.confidence,
               r.probabilities, r.needs_review, r.review_reason, r.tile_sums, r.error_code, r.error_detail, r.runtime,
               CASE WHEN r.status = 'succeeded' THEN CAST(:classifier AS uuid) END,
               r.latitude, r.longitude, r.altitude, r.heading, r.captured_at, r.position_fault,
               r.crop, decode(r.embedding, 'base64'), decode(r.explanation, 'base64')
        FROM given r
        ON CONFLICT (job_id, seq) DO NOTHING
        RETURNING job_id, seq, status),
    maps AS (
        INSERT INTO tile_maps (job_id, seq, map)
        SELECT stored.job_id, stored.seq, decode(given.tile_map, 'base64')
        FROM stored JOIN given ON given.seq = stored.seq WHERE given.tile_map IS NOT NULL),
    {WORKED.format("stored")}
    UPDATE jobs SET
        succeeded = succeeded + (SELECT count(*) FROM stored WHERE status = 'succeeded'),
        failed = failed + (SELECT count(*) FROM stored WHERE status = 'failed'),
        rejected = rejected + (SELECT count(*) FROM stored WHERE status = 'rejected'),
        work_done = {WORK_DONE},
        last_position = last_position + :offered,
        open_chunks = open_chunks - :closed,
        revision = revision + 1,
        last_result_at = CASE WHEN :offered > 0 THEN now() ELSE last_result_at END,
        older_mark_at = CASE WHEN mark_at < now() - :mark_age THEN mark_at ELSE older_mark_at END,
        older_mark_done = CASE WHEN mark_at < now() - :mark_age THEN mark_done ELSE older_mark_done END,
        older_mark_work = CASE WHEN mark_at < now() - :mark_age THEN mark_work ELSE older_mark_work END,
        mark_done = CASE WHEN mark_at < now() - :mark_age
                    THEN succeeded + failed + rejected + canceled + (SELECT count(*) FROM stored) ELSE mark_done END,
        mark_work = CASE WHEN mark_at < now() - :mark_age THEN {WORK_DONE} ELSE mark_work END,
        mark_at = CASE WHEN mark_at < now() - :mark_age THEN now() ELSE mark_at END
    WHERE id = :job
    RETURNING jobs.*
    """  # noqa: S608  # texts of shared.jobs.work
)
# The job as it is then comes with it.
STORE_JOB = select(Job).from_statement(STORE).execution_options(populate_existing=True)
MARK_AGE = timedelta(seconds=30)
MAX_NAMED = 20  # images in one line of the log
FAULT = fault()


@dataclass(frozen=True, slots=True)
class NewResult:
    """The final answer for one image, as a worker found it.

    ``probabilities`` stand in the order of the classifier's classes and sum to 1; ``confidence`` is the largest.
    ``runtime`` is what ran the classifier, as ``onnxruntime 1.32.0``. Six are the word of the file for where and when
    it was taken (degrees WGS 84, metres, degrees clockwise from true north), or why it has none. ``crop`` is the
    id of the plant, ``embedding`` 64 signed bytes, where the classifier gives such and knows the plant. ``explanation``
    is there where the job asks for it, as ``shared.contracts.explanations`` packs it.

    An image that is answered by tiles has ``tile_map``, as ``shared.tiles.codec`` writes it, and its ``tile_sums``, as
    ``TileSums.as_json``: they are stored with the result or not at all.
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
    crop: str | None = None
    embedding: bytes | None = None
    explanation: bytes | None = None
    tile_sums: dict[str, dict[str, int]] | None = None
    tile_map: bytes | None = None

    def __post_init__(self) -> None:
        """Round numbers as their columns do, and drop what a file says that no column holds."""
        place = {name: stored.or_none(kind, getattr(self, name)) for name, kind in _PLACE}
        if self.latitude is not None and None in (place["latitude"], place["longitude"]):
            place |= {"latitude": None, "longitude": None, "position_fault": PositionFault.INVALID_POSITION}
        for name, value in place.items():
            object.__setattr__(self, name, value)
        for name in ("label", "crop", "error_detail", "runtime"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else stored.words(value))
        if self.confidence is not None:
            object.__setattr__(self, "confidence", stored.real(self.confidence))
        if self.probabilities is not None:
            object.__setattr__(self, "probabilities", tuple(map(stored.real, self.probabilities)))


_PLACE: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("latitude", stored.double),
    ("longitude", stored.double),
    ("altitude", stored.double),
    ("heading", stored.real),
    ("captured_at", stored.moment),
)
# A tuple that exists is read many times faster than `asdict` copies.
_FIELDS = tuple(field.name for field in fields(NewResult))


def _known(result: NewResult) -> dict[str, Any]:
    """Return the fields of a result that have a value; what is absent in JSON is NULL."""
    return {name: value for name in _FIELDS if (value := getattr(result, name)) is not None}


def store_results(
    session: Session, job: Job, results: Sequence[NewResult], *, closed_chunks: int
) -> Sequence[NewResult]:
    """Store results and count them on the job, in one statement. The caller holds the lock of the job's row.

    Where the database refuses one of them, the others are stored all the same, and that image fails with
    ``not_storable``: a value that nobody thought of costs its own image, and no other its answer.

    Returns:
        What was stored.
    """
    whole = len(results)
    if not whole:
        _store(session, job, results, closed_chunks=closed_chunks)
        return results

    def store(part: Sequence[NewResult]) -> None:
        _store(session, job, part, closed_chunks=closed_chunks if len(part) == whole else 0)

    refused = store_or_refuse(session, results, store)
    if not refused:
        return results
    log.error("results_not_storable", job_id=str(job.id), images=[one.seq for one in refused[:MAX_NAMED]])
    failed = {one.seq: _not_storable(one) for one in refused}
    _store(session, job, list(failed.values()), closed_chunks=closed_chunks)
    return [failed.get(one.seq, one) for one in results]


def _not_storable(refused: NewResult) -> NewResult:
    """Make the answer for an image whose own cannot be stored; what validation said of it stays."""
    if refused.status is ImageStatus.REJECTED and refused.error_code is not None:
        return NewResult(seq=refused.seq, status=ImageStatus.REJECTED, error_code=refused.error_code)
    return NewResult(
        seq=refused.seq,
        status=ImageStatus.FAILED,
        error_code=ImageErrorCode.NOT_STORABLE,
        error_detail="a value that was read from this file, or found in it, cannot be stored; tell the operator",
    )


def _store(session: Session, job: Job, results: Sequence[NewResult], *, closed_chunks: int) -> None:
    session.execute(
        STORE_JOB,
        {
            "job": job.id,
            "position": job.last_position,
            "offered": len(results),
            "closed": closed_chunks,
            "classifier": job.classifier_id,
            "mark_age": MARK_AGE,
            "rows": json.dumps([_known(r) for r in results], default=_as_text),
        },
    ).scalar_one()
    changed(session, job.id)


def _as_text(value: datetime | bytes) -> str:
    """Write what JSON has no form for."""
    return b64encode(value).decode() if isinstance(value, bytes) else value.isoformat()


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that a page may have, and those of a row of it besides its texts."""

    max_bytes: int
    of_a_row: int
    of_a_class: int


ROOMY = Room(ANY_SIZE, 0, 0)


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """A filter of results; ``None`` means all."""

    status: ImageStatus | None = None
    label: str | None = None
    place: PlaceFilter | None = None

    def conditions(self, fault: ColumnElement[str | None] = FAULT) -> list[ColumnElement[bool]]:
        """Build the conditions in SQL; ``fault`` is the column of why an image has no position."""
        wanted: list[ColumnElement[bool]] = []
        if self.status is not None:
            wanted.append(Result.status == self.status)
        if self.label is not None:
            wanted.append(Result.label == self.label)
        if self.place is not None:
            wanted.append(fault.is_(None) if self.place is PlaceFilter.KNOWN else fault.is_not(None))
        return wanted


class StoredCorrection(NamedTuple):
    """The label of a person for an image."""

    label: str
    note: str | None
    corrected_by: str | None
    corrected_at: datetime


class StoredResult(NamedTuple):
    """A result with what is known of its image. ``metadata`` is the client's own.

    ``tile_sums``, as ``TileSums.as_json``, are there if the image was answered by tiles; such an image may be succeeded
    without a label: undecided.

    A tuple, and not rows of the mapped classes: a page has a thousand, and those cost five times as much to make.
    """

    seq: int
    position: int
    status: str
    label: str | None
    confidence: float | None
    probabilities: list[float] | None
    needs_review: bool | None
    review_reason: str | None
    tile_sums: dict[str, dict[str, int]] | None
    error_code: str | None
    error_detail: str | None
    classifier_id: uuid.UUID | None
    runtime: str | None
    crop: str | None
    explanation: bytes | None
    finished_at: datetime
    name: str
    metadata: dict[str, Any] | None
    place: Place
    correction: StoredCorrection | None


# The columns of a ``StoredResult``, in its order, up to its image.
_OWN = (
    Result.seq,
    Result.position,
    Result.status,
    Result.label,
    Result.confidence,
    type_coerce(Result.probabilities, NullType()),  # psycopg has made numbers of them; SQLAlchemy would do it again
    Result.needs_review,
    Result.review_reason,
    Result.tile_sums,
    Result.error_code,
    Result.error_detail,
    Result.classifier_id,
    Result.runtime,
    Result.crop,
    Result.explanation,
    Result.finished_at,
)
# Joined as ``shared.db.plans`` says.
_IMAGE = (
    select(Image.name, Image.metadata_.label("metadata"), *place_columns(), Image.seq.label("seq"))
    .where(Image.job_id == Result.job_id, Image.seq >= Result.seq)
    .order_by(Image.seq)
    .limit(1)
    .lateral("image")
)
_JOINED = [column for column in _IMAGE.c if column.key != "seq"]
_CORRECTION = (
    select(CorrectionEntry.label, CorrectionEntry.note, CorrectionEntry.corrected_by, CorrectionEntry.corrected_at)
    .where(CorrectionEntry.job_id == Result.job_id, CorrectionEntry.seq == Result.seq, standing.OF_IMAGES)
    .limit(1)
    .lateral("correction")
)
NUMBER_BYTES = 4  # of a cell of an explanation: 255 and a comma
_WEIGHT = (
    bindparam("of_a_row", type_=Integer)
    + bytes_of(Result.explanation) * NUMBER_BYTES
    + func.coalesce(func.cardinality(Result.probabilities), 0) * bindparam("of_a_class", type_=Integer)
    + bytes_of(
        Result.error_detail,
        cast(Result.tile_sums, Text),
        _IMAGE.c.name,
        cast(_IMAGE.c.metadata, Text),
        _CORRECTION.c.note,
    )
)
_PAGE = (
    select(*_OWN, *_JOINED, *_CORRECTION.c, _WEIGHT.label(WEIGHT))
    .select_from(Result)
    .join(_IMAGE, _IMAGE.c.seq == Result.seq)
    .outerjoin(_CORRECTION, true())
    .where(Result.job_id == bindparam("job"), Result.position > bindparam("after"))
    .order_by(Result.position)
    .limit(bindparam("limit"))
)
_POSITION = "position"
_NAMED = len(_OWN) + 2
_PLACED = len(_OWN) + len(_JOINED)


def read_results(
    session: Session, job_id: uuid.UUID, *, after: int, limit: int, only: ResultFilter, room: Room = ROOMY
) -> tuple[list[StoredResult], bool]:
    """Read a page of results in the order in which they were stored, and whether there are more.

    Args:
        session: a transaction.
        job_id: the job; the caller has checked whose it is.
        after: the position behind which the page begins.
        limit: rows of the page.
        only: which results.
        room: what the page may weigh; it has one row at least.
    """
    read_a_page(session)
    page = _PAGE.where(*only.conditions(_IMAGE.c.place_fault)).subquery("page")
    position = page.c[_POSITION]
    wanted = within(page, position, bindparam("max_bytes", type_=BigInteger)).order_by(text("position"))
    given = {"job": job_id, "after": after, "limit": limit + 1}
    weights = {"max_bytes": room.max_bytes, "of_a_row": room.of_a_row, "of_a_class": room.of_a_class}
    rows = session.execute(wanted, given | weights).all()
    kept, has_more = cut(rows, limit)
    return [_stored(*row) for row in kept], has_more


def _stored(*row: Any) -> StoredResult:  # noqa: ANN401  # columns of many types
    corrected = row[_PLACED:]
    # Of the columns of a valid correction, the label is never NULL.
    correction = None if corrected[0] is None else StoredCorrection(*corrected)
    return StoredResult._make((*row[:_NAMED], Place.of(*row[_NAMED:_PLACED]), correction))


def classifier_of(session: Session, job: Job) -> Classifier | None:
    """Read the classifier that a job is pinned to, if it is committed."""
    return session.get(Classifier, job.classifier_id) if job.classifier_id else None
