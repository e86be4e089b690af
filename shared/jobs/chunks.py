"""Chunks: the functions that make them. The caller holds the lock of the job's row, which numbers them in turn."""

import uuid
from itertools import accumulate, pairwise

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Chunk, Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.jobs.cut import cut

CLASSIFY, ISOLATED = f"{ChunkKind.CLASSIFY}:", "isolated:"
# The claim sorts by it: smaller first.
PRIORITY_ORDER = {Priority.INTERACTIVE: 0, Priority.BULK: 1}

DROP_READY_EXPORTS = text("DELETE FROM chunks WHERE job_id = :job AND kind = :kind AND state = 'ready'")
_OPEN = f"{IMAGES_WITH_RESULT} WHERE i.job_id = :job AND i.seq BETWEEN :first AND :last AND r.seq IS NULL"


def pool_of(classifier_id: uuid.UUID) -> str:
    """Name the pool of the chunks that need this classifier; workers claim from the pools that they serve."""
    return f"{CLASSIFY}{classifier_id}"


def isolated_pool_of(pool: str) -> str:
    """Name the pool of chunks whose pictures are all decoded in processes of their own, for the same classifier.

    Workers take them in a slot of their own, so that slow pictures of one tenant keep no slot from another.
    """
    return f"{ISOLATED}{pool.removeprefix(CLASSIFY).removeprefix(ISOLATED)}"


def classifier_pool_of(pool: str) -> str:
    """Name the pool as ``pool_of`` does, given that pool or the one of isolated chunks."""
    return f"{CLASSIFY}{pool.removeprefix(ISOLATED)}" if pool.startswith(ISOLATED) else pool


def add_chunk(
    session: Session, job: Job, kind: ChunkKind, *, pool: str, export_id: uuid.UUID | None = None, attempt: int = 0
) -> None:
    """Add one ready chunk without images of its own: validation, removal, or an export.

    The job waits for the first two: ``open_chunks`` counts them. Exports are made in the order of their jobs, whatever
    the priority of those.
    """
    is_export = kind is ChunkKind.EXPORT
    session.add(
        Chunk(
            job_id=job.id,
            no=_next_no(session, job.id),
            tenant_id=job.tenant_id,
            kind=kind,
            pool=pool,
            priority=PRIORITY_ORDER[Priority.BULK if is_export else Priority(job.priority)],
            export_id=export_id,
            attempt=attempt,
        )
    )
    if not is_export:
        job.open_chunks += 1
    session.flush()


def drop_ready_exports(session: Session, job_id: uuid.UUID) -> None:
    """Give up the exports of a job that is deleted; one that a worker makes ends at the worker's next check."""
    session.execute(DROP_READY_EXPORTS, {"job": job_id, "kind": ChunkKind.EXPORT})


def cut_chunks(  # noqa: PLR0913  # a range, its size and how it runs
    session: Session,
    job: Job,
    *,
    pool: str,
    images_per_chunk: int,
    first_seq: int = 0,
    last_seq: int = 2**31 - 1,
    attempt: int = 0,
    isolated: bool = False,
) -> int:
    """Put every image of the range that has no result yet into a chunk of at most ``images_per_chunk``.

    Returns:
        How many chunks were made; ``job.open_chunks`` counts them.
    """
    waiting = session.scalars(
        text(f"SELECT i.seq FROM {_OPEN} ORDER BY i.seq"),  # noqa: S608  # a text of shared.db.plans
        {"job": job.id, "first": first_seq, "last": last_seq},
    ).all()
    ends = list(accumulate(cut(len(waiting), images_per_chunk)))
    made = [(waiting[begin], waiting[end - 1]) for begin, end in pairwise([0, *ends])]
    session.execute(
        text(
            """
            INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, first_seq, last_seq, state, attempt,
                                isolated)
            SELECT :job, :no + part - 1, :tenant, :kind, :pool, :priority, first, last, 'ready', :attempt, :isolated
            FROM unnest(CAST(:firsts AS integer[]), CAST(:lasts AS integer[]))
                 WITH ORDINALITY AS cut (first, last, part)
            """
        ),
        {
            "job": job.id,
            "tenant": job.tenant_id,
            "firsts": [first for first, _ in made],
            "lasts": [last for _, last in made],
            "no": _next_no(session, job.id),
            "kind": ChunkKind.CLASSIFY,
            "pool": pool,
            "priority": PRIORITY_ORDER[Priority(job.priority)],
            "attempt": attempt,
            "isolated": isolated,
        },
    )
    job.open_chunks += len(made)
    session.flush()
    return len(made)


def _next_no(session: Session, job_id: uuid.UUID) -> int:
    last = session.execute(text("SELECT max(no) FROM chunks WHERE job_id = :job"), {"job": job_id}).scalar_one()
    return 0 if last is None else int(last) + 1
