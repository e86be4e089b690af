"""The SQL that KEDA runs, as the chart renders it, on the real tables, as a role that reads only."""

import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Manifest
from shared.contracts.states import ChunkKind
from shared.db.models import Classifier
from shared.db.session import Database
from shared.exports import claimed
from shared.jobs import claims, pauses
from shared.jobs.pauses import EVERYTHING_THERE_IS, Subject
from shared.limits.quotas import UNLIMITED
from shared.settings import Settings
from tests.contract.chart.rendering import of_kind
from tests.integration.conftest import MakeSettings
from tests.integration.jobs.factory import Jobs, sizes

Count = Callable[..., int]

SHIPPED = "minimal", "keda.enabled=true"
NAMED = ("gpu",)
ONLY_GPU = (*NAMED, "worker.enabled=false")


def query(workers: str, *values: str) -> str:
    """Return the query of KEDA for a pool of workers."""
    return str(trigger(workers, *values)["query"])


def trigger(workers: str, *values: str) -> dict[str, Any]:
    """Return the trigger of a pool of workers, as the chart renders it."""
    (only,) = of_kind("ScaledObject", *values)[workers]["spec"]["triggers"]
    return dict(only["metadata"])


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings)
    yield made
    made.dispose()


@pytest.fixture
def leaf(database: Database) -> Classifier:
    return register(database, "leaf", "1", default=True)


@pytest.fixture
def jobs(database: Database, leaf: Classifier) -> Jobs:
    return Jobs(database, leaf)


@pytest.fixture
def count(settings: Settings, database: Database) -> Count:
    """Run the query as the role of docs/installation.md, which may read three tables; psycopg stands for KEDA's pgx."""
    role, password = f"keda_{secrets.token_hex(4)}", secrets.token_hex(8)
    with database.begin() as session:
        session.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
        session.execute(text(f"GRANT SELECT ON chunks, classifiers, pauses TO {role}"))
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    url = url.set(username=role, password=password)

    def run(workers: str = "worker", *values: str) -> int:
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            rows = connection.execute(query(workers, *(values or SHIPPED)).encode()).fetchall()
        ((number,),) = rows
        return int(number)

    return run


def register(database: Database, name: str, version: str, *, default: bool = False) -> Classifier:
    manifest = Manifest(
        name=name,
        version=version,
        sha256=secrets.token_hex(32),
        classes=(ClassLabel(id="healthy"), ClassLabel(id="rust")),
        input_size=(8, 8),
    )
    with database.begin() as session:
        known = registry.register(session, manifest)
        return registry.make_default(session, name, version) if default else known


def delay(database: Database, job_id: uuid.UUID) -> None:
    """As after an outage of the object store: handed back, with a pause."""
    with database.begin() as session:
        session.execute(
            text(
                "UPDATE chunks SET not_before = now() + interval '1 hour' WHERE (job_id, no) = "
                "(SELECT job_id, no FROM chunks WHERE job_id = :job AND state = 'ready' LIMIT 1)"
            ),
            {"job": job_id},
        )


def test_an_idle_service_has_no_open_chunks(count: Count, jobs: Jobs) -> None:
    jobs.draft(images=3)
    assert count() == 0


def test_ready_and_running_chunks_count_and_delayed_and_done_ones_do_not(
    count: Count, jobs: Jobs, database: Database
) -> None:
    job_id = jobs.queued(images=12, chunk_images=2)
    assert count() == 6
    held = jobs.claim()
    assert count() == 6, "a chunk that is at work still needs its worker"
    delay(database, job_id)
    assert count() == 5, "nobody can take a delayed chunk"
    jobs.finish(held)
    assert count() == 4


def test_a_chunk_whose_lease_ran_out_counts_until_somebody_takes_it_back(count: Count, jobs: Jobs) -> None:
    jobs.queued(images=2, chunk_images=2)
    jobs.claim(lease_seconds=-1)
    assert count() == 1


def test_tiled_jobs_are_counted_where_their_classifier_is_served(count: Count, jobs: Jobs) -> None:
    jobs.committed(images=3, tiling="auto")
    assert count("worker", *NAMED) == 1, "its validation"
    assert count("worker-gpu", *NAMED) == 0
    validating = jobs.claim_kind(ChunkKind.INSPECT)
    with jobs.database.begin() as session:
        claims.finish_validation(session, validating, [], sizes=sizes(1, heads=3))
    inspecting = jobs.claim_kind(ChunkKind.INSPECT)
    assert count() == 1
    with jobs.database.begin() as session:
        claims.finish_inspection(session, inspecting, [], inspected=3, sizes=sizes(1), quotas=UNLIMITED)
    assert count() == 3


def test_validation_waits_for_a_worker_too_but_starts_no_gpu_while_there_are_others(count: Count, jobs: Jobs) -> None:
    jobs.committed(images=3)
    assert count("worker") == 1
    assert count("worker", *NAMED) == 1
    assert count("worker-gpu", *NAMED) == 0
    assert count("worker-gpu", *ONLY_GPU) == 1
    assert jobs.try_claim(pool=ChunkKind.VALIDATE) is not None
    assert count("worker") == 1


def test_an_export_waits_for_a_worker_too_also_where_none_is_left(count: Count, jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2)
    jobs.finish(jobs.claim())
    assert (count(), count("worker-gpu", *ONLY_GPU)) == (0, 0), "both pools are at zero"
    export_id = jobs.export(job_id)
    assert (count(), count("worker-gpu", *ONLY_GPU)) == (1, 1)
    assert trigger("worker-gpu", *ONLY_GPU)["activationTargetQueryValue"] == "0", "more than that many start a pool"
    assert trigger("worker-gpu", *NAMED)["activationTargetQueryValue"] == "50"
    assert count("worker-gpu", *NAMED) == 0, "nobody starts a GPU for it while there are others"
    held = jobs.claim_kind(ChunkKind.EXPORT)
    assert (held.export_id, count()) == (export_id, 1), "it still needs its worker"
    with database.begin() as session:
        claimed.begin(session, held)
        claimed.finish(session, held, object_key="key", size=1, rows=2, keep_hours=1)
    assert count() == 0


def test_a_pool_counts_the_chunks_of_the_classifiers_that_it_serves(
    count: Count, jobs: Jobs, database: Database
) -> None:
    jobs.queued(images=4, chunk_images=2)
    vine, other = register(database, "vine", "3"), register(database, "leaf", "2")
    Jobs(database, vine).queued(images=6, chunk_images=2)
    Jobs(database, other).queued(images=10, chunk_images=2)
    assert count("worker", *NAMED, "worker.classifiers={leaf@1}") == 2
    assert count("worker", *NAMED, "worker.classifiers={vine@3}") == 3
    assert count("worker-gpu", *NAMED) == 5
    assert count("worker", *NAMED, "worker.classifiers={leaf@9}") == 0


def test_workers_that_name_no_classifier_count_the_default_alone(count: Count, jobs: Jobs, database: Database) -> None:
    jobs.queued(images=4, chunk_images=2)
    Jobs(database, register(database, "vine", "3")).queued(images=6, chunk_images=2)
    assert count() == 2


@pytest.mark.parametrize("what", ["tenant", "pool", "everything"])
def test_for_what_is_paused_no_worker_is_started(
    count: Count, jobs: Jobs, database: Database, leaf: Classifier, what: str
) -> None:
    job_id = jobs.queued(images=6, chunk_images=2)
    jobs.claim()
    subjects = {
        "tenant": Subject(tenant_id=jobs.get(job_id).tenant_id),
        "pool": Subject(classifier_id=leaf.id),
        "everything": EVERYTHING_THERE_IS,
    }
    with database.begin() as session:
        pauses.pause(session, subjects[what], actor="mia@host")
    assert count() == 1, "what is at work goes on"


@pytest.mark.plans
def test_the_count_can_use_the_indexes_of_open_chunks(database: Database) -> None:
    """Done chunks pile up for weeks; counting must not read them."""
    with database.begin() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.execute(text(f"EXPLAIN {query('worker', *SHIPPED)}")).scalars())
    assert "ix_chunks_running" in plan
    assert "ix_chunks_ready" in plan
    assert "Seq Scan on chunks" not in plan
