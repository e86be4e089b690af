"""A deleted job is gone: from every table, and from the object store. Its receipt says so, and nothing else of it."""

import json
import uuid
from collections.abc import Callable

import pytest
import urllib3
from sqlalchemy import text

from shared.contracts.receipts import RemovalReason, Removed
from shared.contracts.states import ChunkKind, Priority, Scope
from shared.db.session import Database
from shared.jobs import claims
from shared.jobs.claims import Offer
from shared.jobs.purge import remove_job
from shared.receipts import writing
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api, MakeKey, assert_problem
from tests.integration.corrections.maps import in_tiles
from tests.integration.retention.conftest import BODY, ExportSlot

MARK = "Marked-7f3a"
HEADS = text("INSERT INTO image_heads (job_id, seq, width) SELECT job_id, seq, 500 FROM images WHERE job_id = :job")
ATTEMPTS = text(
    "INSERT INTO webhook_attempts (delivery_id, milliseconds, response) SELECT d.id, 5, :mark "
    "FROM webhook_deliveries d JOIN events e ON e.id = d.event_id WHERE e.job_id = :job"
)
READ = text("UPDATE results SET crop = :mark, embedding = convert_to(:mark, 'UTF8') WHERE job_id = :job")
EXPLAINED = text("INSERT INTO tile_explanations (job_id, seq, tile, error_detail) VALUES (:job, 1, 0, :mark)")
# Both name the job and nothing of what it was; an endpoint of a `webhook_url` goes with a later sweep.
NAME_THE_JOB = {"receipts", "audit_log"}


def rows_with(database: Database, what: str) -> dict[str, int]:
    """Every table that has the text anywhere in a row, by the catalog, and how many such rows."""
    with database.begin() as session:
        tables = session.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
        ).all()
        counted = {
            table: session.execute(
                text(f'SELECT count(*) FROM "{table}" AS t WHERE CAST(t AS text) LIKE :what'),  # noqa: S608  # a catalog
                {"what": f"%{what}%"},
            ).scalar_one()
            for table in tables
        }
    return {table: rows for table, rows in counted.items() if rows}


def tables_with_a_job(database: Database) -> set[str]:
    with database.begin() as session:
        return set(
            session.scalars(
                text("SELECT table_name FROM information_schema.columns WHERE column_name = 'job_id'")
            ).all()
        )


def purge(database: Database, store: S3Store) -> None:
    """What workers do."""
    offers = [Offer(ChunkKind.PURGE, priority) for priority in Priority]
    while True:
        with database.begin() as session:
            held = claims.claim(session, offers, worker="test", lease_seconds=60)
        if held is None:
            return
        remove_job(database, store, held, beat=lambda: None)


@pytest.fixture
def admin(api: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> Api:
    return api.with_key(make_key(tenant_id, Scope.ADMIN))


@pytest.fixture
def full(admin: Api, hands: Hands, exporter: ExportSlot, http: urllib3.PoolManager, database: Database) -> str:
    """A job that has something in every table that can hold something of a job."""
    admin.post("/v1/webhooks", {"url": "https://farm.example.org/hooks", "events": ["job.started", "job.completed"]})
    body = {"name": MARK, "metadata": {"note": MARK}, "external_id": MARK}
    job_id = str(admin.post("/v1/jobs", body, headers={"Idempotency-Key": str(uuid.uuid4())}).json()["id"])
    page = {"images": [{"name": f"{MARK}-{n}.jpg", "size": len(BODY), "metadata": {"row": MARK}} for n in range(3)]}
    for image in admin.post(f"/v1/jobs/{job_id}/images", page).json()["images"]:
        put = image["upload"]
        assert http.request("PUT", put["url"], body=BODY, headers=put["headers"]).status == 200
    admin.commit(job_id)
    hands.run(job_id, in_tiles)
    for place in ("", "/tiles/0"):
        path = f"/v1/jobs/{job_id}/images/1{place}/correction"
        corrected = admin.request("PUT", path, json={"label": "rust", "note": MARK})
        assert corrected.status == 200, corrected.data
    again = {"Idempotency-Key": str(uuid.uuid4())}
    asked = admin.post(f"/v1/jobs/{job_id}/exports", {"format": "csv"}, headers=again)
    assert asked.status == 202, asked.data
    while exporter.work_once():
        pass
    with database.begin() as session:
        session.execute(HEADS, {"job": uuid.UUID(job_id)})
        session.execute(READ, {"mark": MARK, "job": uuid.UUID(job_id)})
        session.execute(EXPLAINED, {"mark": MARK, "job": uuid.UUID(job_id)})
        session.execute(ATTEMPTS, {"mark": MARK, "job": uuid.UUID(job_id)})
    return job_id


def test_nothing_of_a_deleted_job_remains(
    api: Api, full: str, database: Database, store: S3Store, objects_of: Callable[[str], list[str]]
) -> None:
    before = set(rows_with(database, full)) | set(rows_with(database, MARK))
    assert tables_with_a_job(database) - NAME_THE_JOB <= before, "the test fills every table that names a job"
    assert {"jobs", "images", "results", "idempotency_keys", "webhook_attempts"} <= before
    assert len(objects_of(full)) == 4

    answer = api.request("DELETE", f"/v1/jobs/{full}")
    assert answer.status == 202
    receipt = api.get(answer.headers["Location"]).json()
    assert (receipt["requested_by"], receipt["completed_at"]) == ("test", None)
    purge(database, store)

    assert {"receipts"} <= set(rows_with(database, full)) <= NAME_THE_JOB
    assert rows_with(database, MARK) == {}
    assert objects_of(full) == []
    receipt = api.get(answer.headers["Location"]).json()
    assert receipt["completed_at"] is not None
    assert receipt["removed"] == {
        "images": 3,
        "results": 3,
        "corrections": 2,
        "exports": 1,
        "chunks": 5,
        "events": 3,
        "deliveries": 2,
        "objects": 4,
        "bytes": receipt["removed"]["bytes"],
    }
    assert receipt["removed"]["bytes"] > 3 * len(BODY)


def test_a_receipt_is_its_tenants_alone(
    api: Api, make_key: MakeKey, database: Database, store: S3Store, uploaded: Callable[..., str]
) -> None:
    job_id = uploaded()
    location = api.request("DELETE", f"/v1/jobs/{job_id}").headers["Location"]
    purge(database, store)
    other = api.with_key(make_key())
    assert_problem(other.get(location), 404, "not-found")
    assert other.get(f"/v1/receipts?job_id={job_id}").json() == {"receipts": [], "after": None, "has_more": False}
    page = api.get("/v1/receipts?limit=1").json()
    assert [one["job_id"] for one in page["receipts"]] == [job_id]
    assert json.loads(api.get(location).data)["what"] == Removed.JOB


def test_an_interrupted_removal_counts_what_there_was(
    api: Api, database: Database, store: S3Store, uploaded: Callable[..., str]
) -> None:
    job_id = uploaded()
    location = api.request("DELETE", f"/v1/jobs/{job_id}").headers["Location"]
    offers = [Offer(ChunkKind.PURGE, priority) for priority in Priority]
    with database.begin() as session:
        held = claims.claim(session, offers, worker="dies", lease_seconds=60)
    assert held is not None
    with database.begin() as session:  # It was lost after the objects and before the rows.
        writing.note_objects(session, held.job_id, objects=3, size=3 * len(BODY))
    store.delete(found.key for found in store.list_objects(f"uploads/{job_id}/"))
    remove_job(database, store, held, beat=lambda: None)
    assert api.get(location).json()["removed"]["objects"] == 3


def test_a_job_that_a_program_of_before_deleted_gets_its_receipt_at_the_end(
    api: Api, database: Database, store: S3Store, uploaded: Callable[..., str]
) -> None:
    job_id = uploaded()
    api.request("DELETE", f"/v1/jobs/{job_id}")
    with database.begin() as session:
        session.execute(text("DELETE FROM receipts WHERE job_id = :id"), {"id": uuid.UUID(job_id)})
    purge(database, store)
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["reason"], receipt["completed_at"] is not None) == (RemovalReason.REQUESTED, True)
