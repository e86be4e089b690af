"""Imports that somebody else's bucket makes difficult: what is taken, what is said, and at once."""

import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote

import pytest

from deploy.local.servers import LocalServers
from shared.contracts.source import Source
from shared.contracts.states import ChunkKind, JobState
from shared.db.models import Result
from shared.db.session import Database
from shared.errors import StoreUnavailable
from shared.jobs import lifecycle
from shared.settings import Settings
from shared.storage import s3
from shared.storage.s3 import S3Store
from tests.integration.conftest import MakeSettings, name_of
from tests.integration.jobs.factory import Jobs
from tests.integration.storage.test_reading import Answer, at, error, odd, says
from tests.integration.worker.jobs.test_validate import announce, context, images_of, run, source
from worker.context import Context
from worker.jobs.importing import import_images
from worker.jobs.validate import validate
from worker.leasing.leases import Lease
from worker.leasing.outcome import CancelRequested, ChunkOutcome
from worker.loop.chunk import run_chunk

__all__ = ["context", "run"]

# A card that was copied by a Mac and kept on network storage, with a folder that is called like a picture.
CARD = (
    "card/DCIM/DJI_0001.JPG",
    "card/DCIM/._DJI_0001.JPG",
    "card/__MACOSX/DCIM/._DJI_0001.JPG",
    "card/__MACOSX/DCIM/images.csv",
    "card/.Trashes/501/DJI_0002.JPG",
    "card/.thumbnails/DJI_0001.JPG",
    "card/@eaDir/DJI_0001.JPG/SYNOPHOTO_THUMB_M.jpg",
    "card/#recycle/DJI_0003.JPG",
    "card/$RECYCLE.BIN/$R1.JPG",
    "card/folder.jpg/",
)
COMPOSED, DECOMPOSED = "a/\u00e9.jpg", "a/e\u0301.jpg"


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    """One for all: a validation that goes on is leased, so no other test claims it."""
    made = Database(settings)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings, servers: LocalServers) -> Iterator[Settings]:
    made = make_settings()
    yield made
    servers.postgres.drop_database(name_of(made))


class Theirs:
    """A store of somebody else, which gives these answers in turn; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    return Theirs()


@pytest.fixture(scope="module")
def store(theirs: Theirs) -> Iterator[S3Store]:
    """The store at their address, which asks once."""
    with pytest.MonkeyPatch.context() as patch, odd(theirs) as server:
        patch.setattr(s3, "ATTEMPTS", 1)
        yield at(server.url, s3_bucket="ours")


def test_a_copied_card_gives_its_photograph_alone(
    context: Context, run: Callable[[uuid.UUID], dict[str, str]], servers: LocalServers
) -> None:
    bucket = f"cards-{uuid.uuid4().hex[:8]}"
    servers.objects.create_bucket(bucket)
    client = servers.objects.client()
    for key in CARD:
        client.put_object(Bucket=bucket, Key=key, Body=b"" if key.endswith("/") else b"x")
    client.close()
    job_id = announce(context.database, source=source(bucket, "card/"))
    assert run(job_id) == {}
    assert [image.object_key for image in images_of(context.database, job_id)] == [CARD[0]]


def lists(*keys: str, size: int = 4) -> Answer:
    """A bucket with these keys, all of one size and without an ETag."""
    contents = "".join(f"<Contents><Key>{quote(key)}</Key><Size>{size}</Size></Contents>" for key in keys)
    return says(200, f"<ListBucketResult><EncodingType>url</EncodingType>{contents}</ListBucketResult>".encode())


@pytest.fixture
def begin(database: Database, jobs: Jobs, settings: Settings, store: S3Store, theirs: Theirs) -> "Begin":
    """Commit an import of ``a/`` from a bucket that answers so, and claim its validation."""
    unused: object = None
    context = Context(
        settings=settings.model_copy(update={"max_images_per_job": 10}),
        database=database,
        store=store,
        wakeups=unused,  # type: ignore[arg-type]
        pipelines={},
        name="test",
    )

    def begun(*answers: Answer) -> tuple[uuid.UUID, Lease, Context]:
        theirs.answers = list(answers)
        job_id = announce(database, source=source("theirs", "a/"))
        with database.begin() as session:
            lifecycle.commit(session, job_id, jobs.classifier.id)
        lease = Lease(jobs.claim_kind(ChunkKind.VALIDATE), database, threading.Event())
        assert lease.claim.job_id == job_id
        return job_id, lease, context

    return begun


Begin = Callable[..., tuple[uuid.UUID, Lease, Context]]


def test_keys_whose_names_become_equal_and_keys_that_are_no_names_are_all_images(begin: Begin) -> None:
    keys = ("a//1.jpg", "a/1.jpg", COMPOSED, DECOMPOSED, "a/nul\0.jpg", f"a/{'k' * 1100}.jpg")
    job_id, lease, context = begin(lists(*keys))
    import_images(context, lease, Source.model_validate(source("theirs", "a/")))
    validate(context, lease)  # The worker before it ended between import and validation.
    images = images_of(context.database, job_id)
    names = ["1.jpg", "1~2.jpg", "\u00e9.jpg", "e\u0301~2.jpg", "nul\ufffd.jpg", "k" * 1022]
    assert [image.name for image in images] == names
    with context.database.begin() as session:
        results = session.query(Result).filter_by(job_id=job_id).order_by(Result.seq).all()
    assert [(result.seq, result.error_code) for result in results] == [(5, "not_storable"), (6, "not_storable")]
    assert all("cannot be kept as a name" in str(result.error_detail) for result in results)


def test_an_object_that_changed_between_two_attempts_is_one_image_with_a_reason(begin: Begin) -> None:
    job_id, lease, context = begin(lists("a/1.jpg"), lists("a/1.jpg", size=5))
    import_images(context, lease, Source.model_validate(source("theirs", "a/")))
    validate(context, lease)
    with context.database.begin() as session:
        result = session.query(Result).filter_by(job_id=job_id).one()
    assert result.error_code == "size_mismatch"
    assert "it has 5 now" in str(result.error_detail)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (error(404, "NoSuchBucket"), "source_unreadable", "NoSuchBucket"),
        (error(403, "AccessDenied"), "source_unreadable", "AccessDenied"),
        (says(403), "source_unreadable", "s3://theirs/a/ cannot be listed"),
        (error(400, "InvalidArgument"), "source_unreadable", "InvalidArgument"),
        (lists(), "source_empty", "named like an image"),
        (lists("a/._1.jpg", "a/2.jpg/"), "source_empty", "2 folders, hidden files"),
        (lists(*(f"a/{number}.jpg" for number in range(11))), "too_many_images", "at most 10 images"),
        (lists("a/1.jpg", size=2**63), "source_unusable", "cannot be stored"),
    ],
)
def test_what_is_wrong_with_a_source_ends_the_job_at_once_with_a_sentence_about_it(
    begin: Begin, jobs: Jobs, answer: Answer, code: str, words: str
) -> None:
    job_id, lease, context = begin(answer)
    assert run_chunk(context, lease) is ChunkOutcome.FINISHED
    job = jobs.get(job_id)
    assert (job.state, job.error_code, lease.claim.attempt) == (JobState.FAILED, code, 1)
    assert words in str(job.error_detail)
    assert "worker" not in str(job.error_detail)


@pytest.mark.parametrize("answer", [error(503, "SlowDown"), error(403, "SignatureDoesNotMatch"), says(200, b"<html>")])
def test_a_store_that_is_ill_is_tried_again_and_ends_no_job(begin: Begin, jobs: Jobs, answer: Answer) -> None:
    job_id, lease, context = begin(answer)
    with pytest.raises(StoreUnavailable):
        validate(context, lease)
    assert jobs.get(job_id).state == JobState.VALIDATING


def test_an_import_that_is_canceled_meanwhile_is_an_order_and_no_fault(begin: Begin) -> None:
    job_id, lease, context = begin(lists("a/1.jpg"))
    with context.database.begin() as session:
        lifecycle.cancel(session, job_id)
    with pytest.raises(CancelRequested):
        validate(context, lease)
