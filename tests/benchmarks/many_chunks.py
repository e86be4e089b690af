"""A database with a million ready chunks of a thousand tenants, as the programs would have left it."""

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Manifest
from shared.contracts.states import Priority
from shared.db.base import new_id
from shared.db.session import Database
from shared.jobs.chunks import PRIORITY_ORDER, pool_of

POOLS = 4
JOBS_PER_TENANT = 5
CHUNK_IMAGES = 64
# Of which the chunks are made in one transaction, because transactions have a longest time.
JOBS_AT_ONCE = 250
LABELS = ("healthy", "powdery_mildew", "rust")

TENANTS = text("INSERT INTO tenants (id, name, weight, max_running_chunks) VALUES (:id, :name, :weight, :most)")
JOBS = text(
    "INSERT INTO jobs (id, tenant_id, state, priority, classifier_id, total, open_chunks, committed_at, queued_at) "
    "VALUES (:id, :tenant, 'queued', :priority, :classifier, :total, :chunks, now(), now())"
)
CHUNKS = text(
    """
    INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, first_seq, last_seq, state)
    SELECT j.id, n, j.tenant_id, 'classify', 'classify:' || j.classifier_id,
           CASE j.priority WHEN 'interactive' THEN :interactive ELSE :bulk END, n * :size + 1, (n + 1) * :size, 'ready'
    FROM jobs j, generate_series(0, :last) AS n WHERE j.id = ANY(:jobs)
    """
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What lies ready. Most chunks are bulk ones of the first pool, where every tenant waits."""

    pools: tuple[str, ...]
    tenants: int
    jobs: int
    chunks: int


def fill(database: Database, *, chunks: int, tenants: int) -> Filled:
    """Insert them: tenants of weight 1 to 4, every fifth with a limit of running chunks, five jobs each."""
    with database.begin() as session:
        classifiers = [_classifier(session, number) for number in range(POOLS)]
        owners = [_tenant(session, number) for number in range(tenants)]
        each = max(1, chunks // (tenants * JOBS_PER_TENANT))
        jobs = [
            _job(owner, nth, number, classifiers, each)
            for nth in range(JOBS_PER_TENANT)
            for number, owner in enumerate(owners)
        ]
        session.execute(JOBS, jobs)
    for at in range(0, len(jobs), JOBS_AT_ONCE):
        with database.begin() as session:
            session.execute(CHUNKS, _cut(jobs[at : at + JOBS_AT_ONCE], each))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return Filled(tuple(pool_of(one) for one in classifiers), tenants, len(jobs), len(jobs) * each)


def _cut(jobs: list[dict[str, object]], chunks: int) -> dict[str, object]:
    return {
        "interactive": PRIORITY_ORDER[Priority.INTERACTIVE],
        "bulk": PRIORITY_ORDER[Priority.BULK],
        "size": CHUNK_IMAGES,
        "last": chunks - 1,
        "jobs": [job["id"] for job in jobs],
    }


def _classifier(session: Session, number: int) -> uuid.UUID:
    manifest = Manifest(
        name=f"leaf-{number}",
        version="1",
        sha256=f"{number:064x}",
        classes=tuple(ClassLabel(id=label) for label in LABELS),
        input_size=(8, 8),
    )
    return registry.register(session, manifest).id


def _tenant(session: Session, number: int) -> uuid.UUID:
    made = new_id()
    limit = 1 + number % 8 if number % 5 == 0 else None
    session.execute(TENANTS, {"id": made, "name": f"tenant-{number}", "weight": 1 + number % 4, "most": limit})
    return made


def _job(owner: uuid.UUID, nth: int, number: int, classifiers: list[uuid.UUID], chunks: int) -> dict[str, object]:
    """The last job of every tenth tenant is urgent and in the second pool; the fourth jobs are in the others."""
    urgent = nth == JOBS_PER_TENANT - 1 and number % 10 == 0
    pool = 1 if urgent else (number % POOLS if nth == JOBS_PER_TENANT - 2 else 0)
    return {
        "id": new_id(),
        "tenant": owner,
        "priority": Priority.INTERACTIVE if urgent else Priority.BULK,
        "classifier": classifiers[pool],
        "total": chunks * CHUNK_IMAGES,
        "chunks": chunks,
    }
