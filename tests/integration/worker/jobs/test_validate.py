"""Validation on a real object store: each file that cannot run is refused with its reason."""

import hashlib
import io
import threading
import uuid
from collections.abc import Callable

import pytest

from deploy.local.servers import LocalServers
from shared.contracts.job_request import JobRequest
from shared.contracts.states import ChunkKind, JobState
from shared.db.models import Image, Job, Result, Tenant
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.images import NewImage, add_images
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.jobs.factory import Jobs, sizes
from worker.context import Context
from worker.leasing.leases import Lease
from worker.loop.chunk import run_chunk


@pytest.fixture
def context(settings: Settings, database: Database) -> Context:
    """What validation uses of a worker; it needs no classifier and no pipeline."""
    store = S3Store(settings)
    store.create_bucket()
    unused: object = None
    return Context(
        settings=settings.model_copy(update={"max_image_bytes": 100, "max_images_per_job": 2}),
        database=database,
        store=store,
        wakeups=unused,  # type: ignore[arg-type]
        pipelines={},
        name="test",
    )


@pytest.fixture
def run(context: Context, jobs: Jobs) -> Callable[[uuid.UUID], dict[str, str]]:
    """Commit the job, validate it, and say what was refused: name to code."""

    def validate_job(job_id: uuid.UUID) -> dict[str, str]:
        with context.database.begin() as session:
            lifecycle.commit(session, job_id, jobs.classifier.id)
        lease = Lease(jobs.claim_kind(ChunkKind.VALIDATE), context.database, threading.Event())
        run_chunk(context, lease)
        with context.database.begin() as session:
            refused = session.query(Result).filter_by(job_id=job_id, status="rejected").all()
            names = {i.seq: i.name for i in images_of(context.database, job_id)}
            return {names[r.seq]: str(r.error_code) for r in refused}

    return validate_job


def images_of(database: Database, job_id: uuid.UUID) -> list[Image]:
    with database.begin() as session:
        return list(session.query(Image).filter_by(job_id=job_id).order_by(Image.seq))


def announce(database: Database, *images: NewImage, source: dict[str, object] | None = None) -> uuid.UUID:
    with database.begin() as session:
        tenant = Tenant(name=str(uuid.uuid4()))
        session.add(tenant)
        session.flush()
        job = lifecycle.create_draft(session, tenant.id, JobRequest.model_validate({"source": source}), draft_hours=1)
        job = lifecycle.lock_job(session, job.id)
        add_images(session, job, images, max_images=1000)
        return job.id


def test_each_file_that_cannot_run_is_refused_with_its_reason(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]]
) -> None:
    digest = hashlib.sha256(b"good").digest()
    announced = [
        NewImage(name="good.jpg", size=4),
        NewImage(name="empty.jpg", size=0),
        NewImage(name="missing.jpg", size=4),
        NewImage(name="twin.jpg", size=4),
        NewImage(name="short.jpg", size=4),
        NewImage(name="large.jpg", size=101),
        NewImage(name="first with sum.jpg", size=5, sha256=digest),
        NewImage(name="second with sum.jpg", size=5, sha256=digest),
    ]
    sent = {1: b"good", 2: b"", 4: b"good", 5: b"sho", 6: bytes(101), 7: b"first", 8: b"secon"}
    job_id = announce(context.database, *announced)
    for seq, body in sent.items():
        context.store.put(upload_key(job_id, seq), io.BytesIO(body), size=len(body))
    assert run(job_id) == {
        "empty.jpg": "empty",
        "missing.jpg": "object_missing",
        "twin.jpg": "duplicate",
        "short.jpg": "size_mismatch",
        "large.jpg": "too_large",
        "second with sum.jpg": "duplicate",
    }
    assert jobs.get(job_id).state == JobState.QUEUED
    assert jobs.counts(job_id)["pending"] == 2


def source(bucket: str, prefix: str) -> dict[str, object]:
    return {"s3": {"bucket": bucket, "prefix": prefix}}


@pytest.fixture
def bucket(servers: LocalServers) -> str:
    """A bucket of a user, with a flight in it."""
    name = f"flights-{uuid.uuid4().hex[:8]}"
    servers.objects.create_bucket(name)
    client = servers.objects.client()
    for key, body in {
        "may/1.JPG": b"one",
        "may/row 2/2.png": b"two",
        "may/log.txt": b"log",
        "june/3.jpg": b"three",
    }.items():
        client.put_object(Bucket=name, Key=key, Body=body)
    client.close()
    return name


def test_an_import_takes_the_images_below_the_prefix(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]], bucket: str
) -> None:
    job_id = announce(context.database, source=source(bucket, "may/"))
    assert run(job_id) == {}
    found = [(i.name, i.bucket, i.object_key) for i in images_of(context.database, job_id)]
    assert found == [("1.JPG", bucket, "may/1.JPG"), ("row 2/2.png", bucket, "may/row 2/2.png")]
    assert jobs.get(job_id).state == JobState.QUEUED


@pytest.mark.parametrize(("prefix", "code"), [("july/", "source_empty"), ("", "too_many_images")])
def test_an_import_that_cannot_run_fails_the_job_with_a_reason(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]], bucket: str, prefix: str, code: str
) -> None:
    job_id = announce(context.database, source=source(bucket, prefix))
    run(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, code)
    assert job.error_detail


def test_an_import_over_the_quota_fails_the_job_and_takes_nothing_until_there_is_room(
    database: Database, run: Callable[[uuid.UUID], dict[str, str]], jobs: Jobs, bucket: str
) -> None:
    job_id = announce(database, source=source(bucket, "may/"))
    with database.begin() as session:
        tenant = session.get_one(Tenant, session.get_one(Job, job_id).tenant_id)
        tenant.max_pending_images = 1
    run(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.error_code, job.total) == (JobState.FAILED, "quota_exceeded", 0)
    with database.begin() as session:
        session.get_one(Tenant, job.tenant_id).max_pending_images = None
        lifecycle.retry(session, job_id, sizes=sizes(64))
    claim = jobs.claim_kind(ChunkKind.VALIDATE)
    assert claim.job_id == job_id


def test_an_import_from_a_bucket_that_is_not_there_fails_the_job_with_a_reason(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]]
) -> None:
    job_id = announce(context.database, source=source("no-such-bucket", ""))
    run(job_id)
    assert jobs.get(job_id).error_code == "source_unreadable"


def test_a_validation_that_is_repeated_after_a_crash_imports_nothing_twice(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]], bucket: str
) -> None:
    job_id = announce(
        context.database,
        NewImage(name="1.JPG", size=3, bucket=bucket, object_key="may/1.JPG"),
        source=source(bucket, "may/"),
    )
    run(job_id)
    assert jobs.counts(job_id)["total"] == 2


def put(servers: LocalServers, bucket: str, **objects: bytes) -> None:
    """Objects into the folder ``may``; a double underscore is a dot."""
    client = servers.objects.client()
    for name, body in objects.items():
        client.put_object(Bucket=bucket, Key=f"may/{name.replace('__', '.').replace('_in_', '/')}", Body=body)
    client.close()


def test_an_import_reads_the_sidecars_of_each_folder(
    context: Context, run: Callable[[uuid.UUID], dict[str, str]], bucket: str, servers: LocalServers
) -> None:
    put(
        servers,
        bucket,
        geo__txt=b"EPSG:4326\n1.jpg 10.5 50.5 300 -90\nlost.jpg 1 2\n",
        images__csv=b"filename,row\n1.JPG,7\n",
        **{"row 2_in_images__csv": b"filename,latitude,longitude,bed\n2.png,51.5,11.5,A\n"},
    )
    job_id = announce(context.database, source=source(bucket, "may/"))
    assert run(job_id) == {}
    found = [
        (i.latitude, i.longitude, i.altitude, i.heading, i.position_source, i.metadata_)
        for i in images_of(context.database, job_id)
    ]
    assert found == [
        (50.5, 10.5, 300.0, 270.0, "sidecar", {"row": "7"}),
        (51.5, 11.5, None, None, "sidecar", {"bed": "A"}),
    ]


def test_an_import_with_a_sidecar_that_cannot_be_read_fails_with_the_line(
    context: Context, jobs: Jobs, run: Callable[[uuid.UUID], dict[str, str]], bucket: str, servers: LocalServers
) -> None:
    put(servers, bucket, geo__txt=b"EPSG:32631\n1.JPG 500000 4600000\n")
    job_id = announce(context.database, source=source(bucket, "may/"))
    run(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "sidecar_invalid")
    assert f"s3://{bucket}/may/geo.txt: line 1: the projection is 'EPSG:32631'" in str(job.error_detail)
    assert job.total == 0
