"""Every column that takes a value from outside gives back what it was given, at the ends of its type, too.

A value goes through its own door (a field of a request, a sidecar's line, what a worker found), and is either refused
there, in words, or stored by PostgreSQL and read again.
"""

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlalchemy import REAL, Float, Table, Text, Uuid, insert, text, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session

from api.corrections.schemas import PutCorrection
from api.jobs.schemas import CreateJob, ImageIn
from api.jobs.submit import _new_image
from api.webhooks.schemas import CreateEndpoint
from shared.access.keys import checked_name
from shared.contracts import stored
from shared.contracts.job_request import JobRequest
from shared.contracts.manifest import Manifest
from shared.contracts.pose import Pose
from shared.contracts.states import ImageStatus
from shared.db.base import Base
from shared.db.models import Image, Result
from shared.db.session import Database
from shared.errors import InvalidRequest
from shared.geography.sidecar.read import read_sidecar
from shared.geography.sidecar.row import height_above_ground
from shared.geography.sidecar.storing import apply_sidecar
from shared.jobs import lifecycle
from shared.jobs.heads import NewHead
from shared.jobs.images import add_images
from shared.jobs.results import NewResult, store_results
from shared.tiles.plan import TilePlan
from tests.integration.conftest import MANIFEST
from worker.webhooks.answer import excerpt

# The same values every time: what is found here by chance would fail somebody else's change.
FEW = settings(max_examples=20, deadline=None, derandomize=True, database=None)
SOME = settings(max_examples=30, deadline=None, derandomize=True, database=None)

CHARACTERS = st.characters(exclude_categories=())  # halves of surrogate pairs, too
HARD = ("\0", "a\0b", "\ud800", "\udfff", "\uffff", "\U0010ffff", "\x01", "\\u0000", "x" * 512)
TEXTS = st.sampled_from(HARD) | st.text(CHARACTERS, max_size=20)
EDGES = (0.0, -0.0, 5e-324, 1e-50, -1e-50, 1e-40, 1.17549435e-38, 90.0, 180.0, 360.0, 3.4e38, 3.5e38, 1e308, math.inf)
NUMBERS = st.sampled_from([*EDGES, -math.inf, math.nan]) | st.floats() | st.floats(0, 360)
MOMENTS = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "2026-06-01T08:00:00.1234567Z",
    ]
) | st.datetimes(timezones=st.sampled_from([UTC, *(timezone(timedelta(hours=h)) for h in (-14, 14))])).map(
    datetime.isoformat
)
JSON = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS | st.integers() | st.sampled_from([2**63, 10**400, -(10**30)]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
POSES = st.fixed_dictionaries(
    {},
    optional={
        **{name: NUMBERS for name, field in Pose.model_fields.items() if field.annotation != str | None},
        **dict.fromkeys(("make", "model", "altitude_type"), TEXTS),
        "captured_at": MOMENTS.map(datetime.fromisoformat),
        "position_fault": TEXTS,
    },
)
REFUSED = (ValidationError, InvalidRequest, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Door:
    """The way into a column: from values as they come to the one that is stored."""

    raw: st.SearchStrategy[Any]
    enter: Callable[[Any], Any]


def field(model: type[BaseModel], own: str, /, **others: Any) -> Callable[[Any], Any]:  # noqa: ANN401  # fields
    """Of a request; what is stored is what the request says then."""
    return lambda raw: getattr(model.model_validate({**others, own: raw}), own)


def found(name: str) -> Callable[[Any], Any]:
    """Of what a worker found."""
    return lambda raw: getattr(NewResult(seq=1, status=ImageStatus.FAILED, **{name: raw}), name)


def image(name: str) -> Callable[[Any], Any]:
    return field(ImageIn, name, name="a", size=1)


def source(raw: str) -> dict[str, Any]:
    asked = CreateJob.model_validate({"source": {"s3": {"bucket": "farm", "prefix": raw}}}).source
    assert asked is not None
    return asked.model_dump(mode="json")


def head_of(*, mm: float | None = None, pose: Pose | None = None) -> dict[str, Any]:
    """What an inspection stores."""
    return NewHead(1, None, None, 1, pose or Pose(), TilePlan(None, ground_resolution_mm=mm)).row()


def position(axis: str) -> Callable[[Any], Any]:
    other = {"latitude": "longitude", "longitude": "latitude"}[axis]
    return field(ImageIn, axis, name="a", size=1, **{other: 0.0})


def manifest(raw: dict[str, Any]) -> dict[str, Any]:
    told = {"description": str(next(iter(raw), "")), "metrics": {k: v for k, v in raw.items() if isinstance(v, float)}}
    return Manifest.model_validate(MANIFEST.model_dump() | told).model_dump(mode="json")


DOORS: Mapping[str, Door] = {
    "tenants.name": Door(TEXTS, checked_name),
    "api_keys.name": Door(TEXTS, checked_name),
    "classifiers.manifest": Door(JSON, manifest),
    "jobs.name": Door(TEXTS, field(CreateJob, "name")),
    "jobs.external_id": Door(TEXTS, field(CreateJob, "external_id")),
    "jobs.metadata": Door(JSON, field(CreateJob, "metadata")),
    "jobs.source": Door(TEXTS, source),
    "jobs.error_detail": Door(TEXTS, stored.words),
    "images.name": Door(TEXTS, image("name")),
    "images.object_key": Door(TEXTS, stored.text),  # of an import
    "images.metadata": Door(JSON, image("metadata")),
    "images.latitude": Door(NUMBERS, position("latitude")),
    "images.longitude": Door(NUMBERS, position("longitude")),
    "images.altitude": Door(NUMBERS, image("altitude")),
    "images.heading": Door(NUMBERS, image("heading")),
    "images.captured_at": Door(MOMENTS, image("captured_at")),
    "images.height_above_ground": Door(NUMBERS.map(repr), lambda raw: height_above_ground(raw, 1)),
    "image_heads.ground_resolution_mm": Door(NUMBERS, lambda raw: head_of(mm=raw)["ground_resolution_mm"]),
    "image_heads.pose": Door(POSES, lambda raw: head_of(pose=Pose.of(raw))["pose"]),
    "results.label": Door(TEXTS, found("label")),
    "results.confidence": Door(NUMBERS, found("confidence")),
    "results.probabilities": Door(st.lists(NUMBERS, max_size=3), lambda raw: list(found("probabilities")(raw))),
    "results.error_detail": Door(TEXTS, found("error_detail")),
    "tile_explanations.error_detail": Door(TEXTS, stored.words),
    "results.runtime": Door(TEXTS, found("runtime")),
    "results.latitude": Door(NUMBERS, found("latitude")),
    "results.longitude": Door(NUMBERS, found("longitude")),
    "results.altitude": Door(NUMBERS, found("altitude")),
    "results.heading": Door(NUMBERS, found("heading")),
    "results.captured_at": Door(MOMENTS.map(datetime.fromisoformat), found("captured_at")),
    "correction_entries.label": Door(TEXTS, field(PutCorrection, "label")),
    "correction_entries.note": Door(TEXTS, field(PutCorrection, "note", label="a")),
    "correction_entries.corrected_by": Door(TEXTS, field(PutCorrection, "corrected_by", label="a")),
    "idempotency_keys.body": Door(JSON, field(CreateJob, "metadata")),  # the answer shows the job
    "events.data": Door(TEXTS, lambda raw: {"name": field(CreateJob, "name")(raw)}),
    "exports.error": Door(TEXTS, stored.words),
    "webhook_endpoints.url": Door(TEXTS, field(CreateEndpoint, "url")),
    "webhook_endpoints.description": Door(TEXTS, field(CreateEndpoint, "description", url="https://a.example")),
    "webhook_attempts.response": Door(st.binary(max_size=20) | st.just(b"\0\xff\xed\xa0\x80"), excerpt),
    "receipts.requested_by": Door(TEXTS, checked_name),  # the name of a key
    "pauses.worker": Door(TEXTS, checked_name),
    "pauses.actor": Door(TEXTS, stored.words),
    "pauses.reason": Door(TEXTS, checked_name),
    "audit_log.actor": Door(TEXTS, stored.words),
    "audit_log.subject": Door(TEXTS, stored.words),
    "audit_log.address": Door(TEXTS, stored.words),
}
# Words of our own, ids, keys, digests, and what a pattern of ASCII lets in.
OURS: Mapping[str, str] = {
    "tenants": "s3_sources",
    "api_keys": "prefix scopes",
    "idempotency_keys": "key location",
    "classifiers": "name version sha256 tiling second_schema",
    "jobs": "state priority request_id traceparent error_code tiling on_coarse ground_resolution_mm warnings",
    "chunks": "kind pool state worker",
    "programs": "kind name",
    "backups": "what name",
    "images": "bucket position_source",
    "image_heads": "ground_resolution_source",
    "tile_explanations": "error_code",
    "results": "status review_reason error_code position_fault tile_sums crop",
    "events": "type",
    "exports": "format parameters state object_key error_code",
    "receipts": "what reason removed",
    "signing_secrets": "secret previous",
    "webhook_endpoints": "events disabled_reason",
    "webhook_deliveries": "event_type state last_error",
    "webhook_attempts": "error",
    "audit_log": "actor_kind action details request_id",
    "corrections": "label note corrected_by",  # written by a trigger, of the entries
}
REALS = frozenset(
    {
        "image_heads.ground_resolution_mm", "images.heading", "images.height_above_ground", "results.heading",
        "results.confidence", "results.probabilities",
    }
)  # fmt: skip
# One row in each table, to be changed by each example.
ROWS = """
    INSERT INTO tenants (id, name) VALUES (:id, 'rows');
    INSERT INTO classifiers (id, name, version, sha256, manifest) VALUES (:id, 'rows', '1', '', '{}');
    INSERT INTO api_keys (id, tenant_id, name, prefix, digest, scopes) VALUES (:id, :id, 'k', 'p', '', '{}');
    INSERT INTO idempotency_keys (tenant_id, key, fingerprint, locked_until, expires_at)
    VALUES (:id, 'k', '', now(), now());
    INSERT INTO jobs (id, tenant_id, state, priority, total) VALUES (:id, :id, 'draft', 'bulk', 0);
    INSERT INTO images (job_id, seq, name, size, object_key) VALUES (:id, 1, 'a', 1, 'k');
    INSERT INTO image_heads (job_id, seq) VALUES (:id, 1);
    INSERT INTO results (job_id, seq, position, status) VALUES (:id, 1, 1, 'failed');
    INSERT INTO tile_explanations (job_id, seq, tile) VALUES (:id, 1, 0);
    INSERT INTO correction_entries (job_id, seq, label) VALUES (:id, 1, 'rust');
    INSERT INTO exports (id, tenant_id, job_id, format) VALUES (:id, :id, :id, 'csv');
    INSERT INTO events (id, tenant_id, type, data) VALUES (:id, :id, 'job.started', '{}');
    INSERT INTO signing_secrets (id, tenant_id, secret) VALUES (:id, :id, 's');
    INSERT INTO webhook_endpoints (id, tenant_id, secret_id, url, events) VALUES (:id, :id, :id, 'u', '{}');
    INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type) VALUES (:id, :id, :id, :id, 't');
    INSERT INTO webhook_attempts (delivery_id, milliseconds) VALUES (:id, 1);
    INSERT INTO receipts (id, tenant_id, job_id, what, reason) VALUES (:id, :id, :id, 'job', 'requested');
    INSERT INTO pauses (id, worker, actor) VALUES (:id, 'w', 'a')
"""
FIRST_KEYS = ("delivery_id", "id", "job_id", "tenant_id")


@pytest.fixture(scope="module")
def row_id(database: Database) -> uuid.UUID:
    made = uuid.uuid4()
    with database.begin() as session:
        for statement in ROWS.split(";"):
            session.execute(text(statement), {"id": made})
    return made


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction that leaves nothing behind."""
    with database.begin() as session:
        yield session
        session.rollback()


def same(value: object) -> object:
    """JSON by the numbers that are written, not by the types of Python that hold them."""
    if isinstance(value, dict):
        return {key: same(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [same(inner) for inner in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else Decimal(repr(value))


def single(value: Any) -> Any:  # noqa: ANN401  # a number, some, or none
    """What ``real`` holds is read in as few digits as tell it from its neighbours."""
    if isinstance(value, list):
        return [single(inner) for inner in value]
    return None if value is None else stored.real(value)


def change(table: Table, column: str, row_id: uuid.UUID, value: object) -> Any:  # noqa: ANN401  # a statement
    """A statement that writes the column and reads it again."""
    if table.name == "audit_log":  # Nobody may change what is written there.
        row = {"id": uuid.uuid4(), "actor_kind": "key", "actor": "a", "action": "job.create", "subject": "s"}
        return insert(table).values({**row, column: value}).returning(table.c[column])
    key = next(table.c[name] for name in FIRST_KEYS if isinstance(getattr(table.c.get(name), "type", None), Uuid))
    return update(table).where(key == row_id).values({column: value}).returning(table.c[column])


@pytest.mark.parametrize("column", DOORS)
def test_a_column_gives_back_what_its_door_let_in(session: Session, row_id: uuid.UUID, column: str) -> None:
    table, name = column.split(".")
    door = DOORS[column]
    is_real = column in REALS

    @FEW
    @given(door.raw)
    def check(raw: Any) -> None:  # noqa: ANN401  # of the column's own
        try:
            value = door.enter(raw)
        except REFUSED:
            return
        with session.begin_nested():
            (back,) = session.scalars(change(Base.metadata.tables[table], name, row_id, value))
        assert same(single(back) if is_real else back) == same(value)

    check()


def test_every_column_that_people_or_files_could_fill_has_a_door_or_is_ours() -> None:
    taken = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, (Text, JSONB, ARRAY, REAL, Float))
    }
    ours = {f"{table}.{column}" for table, columns in OURS.items() for column in columns.split()}
    assert taken - ours == DOORS.keys() - {"images.captured_at", "results.captured_at"}
    assert ours <= taken


HEIGHT = {"height_above_ground": NUMBERS}
PLACES = {"latitude": NUMBERS, "longitude": NUMBERS, "altitude": NUMBERS, "heading": NUMBERS}


def fields_of(row: object, *names: str) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


def test_images_come_back_as_they_were_copied(session: Session, row_id: uuid.UUID) -> None:
    """COPY writes values in a way of its own."""

    @SOME
    @given(st.fixed_dictionaries({"name": TEXTS}, optional={**PLACES, "captured_at": MOMENTS, "metadata": JSON}))
    def check(raw: dict[str, Any]) -> None:
        try:
            new = _new_image(ImageIn.model_validate({"size": 1, **raw}))
        except REFUSED:
            return
        with session.begin_nested() as savepoint:
            job = lifecycle.create_draft(session, row_id, JobRequest(), draft_hours=1)
            add_images(session, lifecycle.lock_job(session, job.id), [new], max_images=9)
            kept = session.get_one(Image, (job.id, 1), populate_existing=True)
            names = ("name", "latitude", "longitude", "altitude", "captured_at")
            assert fields_of(kept, *names) == fields_of(new, *names)
            assert single(kept.heading) == new.heading
            assert same(kept.metadata_) == same(new.metadata)
            savepoint.rollback()

    check()


def test_results_come_back_as_they_were_found(session: Session, row_id: uuid.UUID) -> None:
    """They travel as JSON, and become columns in the server."""
    names = ("latitude", "longitude", "altitude", "captured_at", "label", "error_detail", "runtime")

    @SOME
    @given(
        st.fixed_dictionaries(
            {},
            optional={
                **PLACES,
                "captured_at": MOMENTS.map(datetime.fromisoformat),
                "confidence": NUMBERS,
                "probabilities": st.lists(NUMBERS, max_size=3).map(tuple),
                **dict.fromkeys(("label", "error_detail", "runtime"), TEXTS),
            },
        )
    )
    def check(raw: dict[str, Any]) -> None:
        try:
            new = NewResult(seq=1, status=ImageStatus.SUCCEEDED, **raw)
        except REFUSED:
            return
        with session.begin_nested() as savepoint:
            job = lifecycle.create_draft(session, row_id, JobRequest(), draft_hours=1)
            job.total = 1
            session.flush()
            (kept,) = store_results(session, job, [new], closed_chunks=0)
            assert kept is new
            back = session.get_one(Result, (job.id, 1), populate_existing=True)
            assert fields_of(back, *names) == fields_of(new, *names)
            for name in ("heading", "confidence"):
                assert single(getattr(back, name)) == getattr(new, name)
            assert single(back.probabilities) == (None if new.probabilities is None else list(new.probabilities))
            savepoint.rollback()

    check()


def test_lines_of_a_sidecar_come_back_as_they_were_written(session: Session, row_id: uuid.UUID) -> None:
    cells = {**{name: NUMBERS.map(repr) for name in PLACES | HEIGHT}, "captured_at": MOMENTS, "note": TEXTS}

    @SOME
    @given(st.fixed_dictionaries({}, optional=cells))
    def check(line: dict[str, str]) -> None:
        written = [f'"{cell}"' for cell in line.values()]
        table = f"filename,{','.join(line)}\na,{','.join(written)}\n"
        try:
            (row,) = read_sidecar(table.encode("utf-8", "surrogatepass"))
        except REFUSED:
            return
        with session.begin_nested() as savepoint:
            apply_sidecar(session, row_id, [row])
            kept = session.get_one(Image, (row_id, 1), populate_existing=True)
            names = ("latitude", "longitude", "altitude", "captured_at")
            assert fields_of(kept, *names) == fields_of(row, *names)
            assert single(kept.heading) == row.heading
            assert single(kept.height_above_ground) == row.height_above_ground
            assert (kept.metadata_ or {}) == row.metadata
            savepoint.rollback()

    check()
