"""A page of results costs what is on it, whatever PostgreSQL believes of the job; so do the images of a chunk."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import ImageStatus, JobState
from shared.corrections.reading import Cursor, read_corrections
from shared.db.models import Job
from shared.db.session import Database
from shared.geography.sidecar.row import SidecarRow
from shared.geography.sidecar.storing import apply_sidecar
from shared.jobs import lifecycle
from shared.jobs.chunks import cut_chunks, cut_inspections
from shared.jobs.images import NewImage, add_images, pending_images
from shared.jobs.results import NewResult, ResultFilter, read_results, store_results
from shared.jobs.work import count_work
from tests.integration.conftest import MakeSettings, insert_tenant
from tests.integration.jobs.factory import sizes
from tests.integration.statements import Plan, Statement, explain, statements

pytestmark = pytest.mark.plans

IMAGES = 8_000
PAGE = 1000
# Of result, image and correction the row, the page of the index, and the way down to it.
BUFFERS_PER_ROW = 10
INDEXES_ALONE = {"Limit", "WindowAgg", "Nested Loop", "Subquery Scan", "Memoize", "Index Scan", "Index Only Scan"}

FILL = text(
    """
    WITH job AS (
        INSERT INTO jobs (id, tenant_id, priority, state, total, succeeded, failed, last_position)
        VALUES (:job, :tenant, 'bulk', 'running', :images + 100, :images - :images / 50, :images / 50, :images)
        RETURNING id),
    named AS (
        INSERT INTO images (job_id, seq, name, size, object_key)
        SELECT job.id, n, 'flight/' || n || '.jpg', 4, n::text FROM job, generate_series(1, :images + 100) AS n
        RETURNING job_id, seq),
    answered AS (
        INSERT INTO results (job_id, seq, position, status, label)
        SELECT job_id, seq, seq, CASE WHEN seq % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 'rust'
        FROM named WHERE seq <= :images)
    SELECT count(*) FROM named
    """
)
CORRECT = text(
    "INSERT INTO correction_entries (job_id, seq, label) "
    "SELECT :job, n, 'healthy' FROM generate_series(1, :images, 7) AS n"
)
CORRECT_TILES = text(
    "INSERT INTO correction_entries (job_id, seq, tile, label, corrected_by) SELECT :job, n, tile, 'healthy', person "
    "FROM generate_series(CAST(:first AS int), :last) AS n, generate_series(0, 9) AS tile, "
    "unnest(ARRAY['Ana', 'Ben']) AS person"
)
PREDICTED = (
    """
    INSERT INTO jobs (id, tenant_id, priority, state, total, succeeded, last_position)
    SELECT gen_random_uuid(), :tenant, 'interactive', 'completed', 1, 1, 1 FROM generate_series(1, :jobs)
    """,
    "INSERT INTO images (job_id, seq, name, size, object_key) SELECT id, 1, 'x', 4, 'x' FROM jobs",
    "INSERT INTO results (job_id, seq, position, status, label) SELECT id, 1, 1, 'succeeded', 'rust' FROM jobs",
    "INSERT INTO correction_entries (job_id, seq, label) SELECT id, 1, 'rust' FROM jobs",
)


def fill(database: Database) -> uuid.UUID:
    job_id, tenant_id = uuid.uuid4(), insert_tenant(database)
    with database.begin() as session:
        session.execute(FILL, {"job": job_id, "tenant": tenant_id, "images": IMAGES})
        session.execute(CORRECT, {"job": job_id, "images": IMAGES})
    return job_id


def predict(database: Database) -> None:
    """Many jobs of one image."""
    given = {"tenant": insert_tenant(database), "jobs": 3 * IMAGES}
    with database.begin() as session:
        for statement in PREDICTED:
            session.execute(text(statement), given)


@pytest.fixture(scope="module", params=["among large jobs", "among jobs of one image"])
def database(request: pytest.FixtureRequest, make_settings: MakeSettings) -> Iterator[Database]:
    """With jobs of which there are statistics."""
    made = Database(make_settings())
    with made.begin() as session:
        session.execute(text("ALTER TABLE images SET (autovacuum_enabled = false)"))
        session.execute(text("ALTER TABLE results SET (autovacuum_enabled = false)"))
    if request.param == "among large jobs":
        fill(made)
        fill(made)
    else:
        predict(made)
    analyze(made)
    yield made
    made.dispose()


def analyze(database: Database) -> None:
    with database.begin() as session:
        session.execute(text("ANALYZE images, results, correction_entries"))


@pytest.fixture(scope="module", params=["known", "new to the statistics"])
def job_id(request: pytest.FixtureRequest, database: Database) -> uuid.UUID:
    """The second of the two comes last, so nothing is known of it."""
    made = fill(database)
    if request.param == "known":
        analyze(database)
    return made


def asked_for(database: Database, job_id: uuid.UUID, only: ResultFilter) -> list[Statement]:
    """The statements of a page from the middle."""
    with database.begin() as session:
        session.connection()
        with statements(database.engine) as seen:
            found, _ = read_results(session, job_id, after=IMAGES // 2, limit=PAGE, only=only)
    assert found
    return seen


def assert_walks_keys(plan: Plan, *, rows: int) -> None:
    assert plan.rows == rows
    assert plan.kinds <= INDEXES_ALONE, plan
    assert plan.buffers < BUFFERS_PER_ROW * rows, plan


@pytest.mark.parametrize("generic", [False, True])
def test_a_page_reads_by_indexes_alone_and_no_more_than_itself(
    database: Database, job_id: uuid.UUID, *, generic: bool
) -> None:
    page = asked_for(database, job_id, ResultFilter())
    assert_walks_keys(explain(database.engine, *page, generic=generic), rows=PAGE + 1)


def test_the_failed_ones_are_found_by_an_index_of_their_own(database: Database, job_id: uuid.UUID) -> None:
    failed = explain(database.engine, *asked_for(database, job_id, ResultFilter(status=ImageStatus.FAILED)))
    assert failed.rows == IMAGES // 50 // 2
    assert failed.buffers < BUFFERS_PER_ROW * failed.rows, failed
    assert "ix_results_not_succeeded" in {index for _, index in failed.walked}


def test_the_images_of_a_chunk_do_not_cost_the_whole_job(database: Database, job_id: uuid.UUID) -> None:
    """The worker asks so for each chunk."""
    with database.begin() as session:
        session.connection()
        with statements(database.engine) as seen:
            found = pending_images(session, job_id, first_seq=IMAGES - 63, last_seq=IMAGES + 64)
    assert [image.seq for image in found] == list(range(IMAGES + 1, IMAGES + 65))
    (chunk,) = seen
    plan = explain(database.engine, chunk)
    assert plan.buffers < BUFFERS_PER_ROW * 128, plan


def test_corrections_are_read_by_indexes_alone(database: Database, job_id: uuid.UUID) -> None:
    with database.begin() as session:
        session.connection()
        with statements(database.engine) as seen:
            found = read_corrections(session, job_id, after=Cursor(IMAGES // 2), limit=PAGE)
    assert_walks_keys(explain(database.engine, *seen), rows=len(found))


def test_what_is_said_of_tiles_costs_nothing_where_images_are_read(database: Database) -> None:
    """Twenty entries for each image of the page, of which ten count; none of them is of the image as a whole."""
    job_id = fill(database)
    with database.begin() as session:
        session.execute(CORRECT_TILES, {"job": job_id, "first": IMAGES // 2, "last": IMAGES // 2 + PAGE})
    page = asked_for(database, job_id, ResultFilter())
    assert_walks_keys(explain(database.engine, *page), rows=PAGE + 1)
    with database.begin() as session:
        session.connection()
        with statements(database.engine) as seen:
            found = read_corrections(session, job_id, after=Cursor(IMAGES // 2), limit=PAGE, history=True)
    assert len(found) == PAGE
    entries = [one for one in seen if "correction_entries" in one.sql]
    assert_walks_keys(explain(database.engine, *entries), rows=PAGE)


class Enough(Exception):
    """Takes back what a test looked at."""


def reading(database: Database, job_id: uuid.UUID, do: Callable[[Session, Job], object], begins: str) -> Plan:
    """How the images are found; once in vain to see the statement, and once to see its plan."""
    with statements(database.engine) as seen, suppress(Enough), database.begin() as session:
        do(session, lifecycle.lock_job(session, job_id))
        raise Enough
    (found,) = [one for one in seen if begins in one.sql]
    return explain(database.engine, found)


def test_to_retry_and_to_cancel_read_each_image_once(database: Database) -> None:
    """For a job new to the statistics both took longer than a statement may."""
    for do, begins in ((retry, "SELECT i.seq, 1 AS work FROM"), (cancel, "INSERT INTO results ")):
        plan = reading(database, fill(database), do, begins)
        assert plan.buffers < BUFFERS_PER_ROW * IMAGES, plan


def retry(session: Session, job: Job) -> object:
    return cut_chunks(session, job, pool="classify:x", sizes=sizes(64))


def cancel(session: Session, job: Job) -> object:
    return lifecycle.cancel(session, job.id)


HEADS = text("INSERT INTO image_heads (job_id, seq, tiles) SELECT job_id, seq, 200 FROM images WHERE job_id = :job")


def tiled(database: Database, *, heads: bool) -> uuid.UUID:
    """A job of tiles that is new to the statistics, like those whose heads were just read."""
    job_id = fill(database)
    with database.begin() as session:
        session.get_one(Job, job_id).tiling = "auto"
        if heads:
            session.execute(HEADS, {"job": job_id})
    return job_id


@pytest.mark.parametrize(
    ("do", "begins"),
    [
        (count_work, "UPDATE jobs SET work_total"),
        (retry, "AS work FROM"),
        (lambda session, job: cut_inspections(session, job, sizes=sizes(64)), "SELECT i.seq FROM"),
    ],
)
@pytest.mark.parametrize("heads", [True, False])
def test_the_work_of_a_job_reads_each_image_and_each_head_once(
    database: Database, do: Callable[[Session, Job], object], begins: str, *, heads: bool
) -> None:
    plan = reading(database, tiled(database, heads=heads), do, begins)
    assert plan.buffers < 2 * BUFFERS_PER_ROW * IMAGES, plan


def test_results_of_a_tiled_job_read_their_own_heads_alone(database: Database) -> None:
    def store(session: Session, job: Job) -> object:
        job.work_total = 200 * (IMAGES + 100)
        session.flush()
        found = [NewResult(seq, ImageStatus.SUCCEEDED, tile_map=b"map") for seq in range(IMAGES + 1, IMAGES + 65)]
        return store_results(session, job, found, closed_chunks=0)

    plan = reading(database, tiled(database, heads=True), store, "WITH given AS")
    assert plan.buffers < 10 * BUFFERS_PER_ROW * 64, plan


def test_a_sidecar_reads_each_image_once(database: Database) -> None:
    job_id = fill(database)
    rows = [SidecarRow(line=n, name=f"flight/{n}.jpg", latitude=40.0, longitude=-3.0) for n in range(1, IMAGES + 1)]
    with statements(database.engine) as seen, suppress(Enough), database.begin() as session:
        apply_sidecar(session, job_id, rows)
        raise Enough
    (stored,) = [one for one in seen if "UPDATE images" in one.sql]
    plan = explain(database.engine, stored)
    assert plan.buffers < 3 * BUFFERS_PER_ROW * IMAGES, plan  # it writes them, too


def test_the_names_of_a_page_are_looked_up_by_their_index(database: Database) -> None:
    job_id = fill(database)
    with statements(database.engine) as seen, suppress(Enough), database.begin() as session:
        job = lifecycle.lock_job(session, job_id)
        job.state = JobState.DRAFT
        with session.no_autoflush:
            add_images(session, job, [NewImage(f"flight/{n}.jpg", 4) for n in range(1, PAGE + 1)], max_images=10**6)
        raise Enough
    (known,) = [one for one in seen if "ANY" in one.sql]
    plan = explain(database.engine, known)
    assert plan.buffers < BUFFERS_PER_ROW * PAGE, plan
