"""Chunks: the functions that make them. The caller holds the lock of the job's row, which numbers them in turn."""

import uuid
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.exports import ExportContent
from shared.contracts.states import ChunkKind, Priority
from shared.db.models import Chunk, Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.jobs.cut import ChunkSizes, cut_by_work
from shared.jobs.work import WORK

# Pools of a classifier have its id behind one of these: whole photographs, tiles, either in isolated processes, and
# explanations of tiles.
CLASSIFY, TILES, ISOLATED, EXPLAIN = f"{ChunkKind.CLASSIFY}:", "tiles:", "isolated:", f"{ChunkKind.EXPLAIN}:"
POOLS_OF_CLASSIFIER = (CLASSIFY, TILES, ISOLATED, f"{ISOLATED}{TILES}", EXPLAIN)
# Programs of the version before would write the results where tiles are asked for.
EXPORT_POOLS = {ExportContent.RESULTS: ChunkKind.EXPORT.value, ExportContent.TILES: f"{ChunkKind.EXPORT}:tiles"}
# The claim sorts by it: smaller first.
PRIORITY_ORDER = {Priority.INTERACTIVE: 0, Priority.BULK: 1}

DROP_READY_EXPORTS = text("DELETE FROM chunks WHERE job_id = :job AND kind = :kind AND state = 'ready'")
_OPEN = f"{IMAGES_WITH_RESULT} WHERE i.job_id = :job AND i.seq BETWEEN :first AND :last AND r.seq IS NULL"
OPEN = text(f"SELECT i.seq, 1 AS work FROM {_OPEN} ORDER BY i.seq")  # noqa: S608  # above
OPEN_WITH_WORK = text(f"SELECT i.seq, {WORK.format('i')} AS work FROM {_OPEN} ORDER BY i.seq")  # noqa: S608  # above
UNREAD = text(
    f"""
    SELECT i.seq FROM {IMAGES_WITH_RESULT} WHERE i.job_id = :job AND r.seq IS NULL
        AND (SELECT 1 FROM image_heads h WHERE h.job_id = i.job_id AND h.seq = i.seq) IS NULL ORDER BY i.seq
    """  # noqa: S608  # a text of shared.db.plans
)
INSERT = text(
    """
    INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, first_seq, last_seq, work, state, attempt,
                        isolated)
    SELECT :job, :no + part - 1, :tenant, :kind, :pool, :priority, first, last, work, 'ready', :attempt, :isolated
    FROM unnest(CAST(:firsts AS integer[]), CAST(:lasts AS integer[]), CAST(:work AS integer[]))
         WITH ORDINALITY AS cut (first, last, work, part)
    """
)


def pool_of(classifier_id: uuid.UUID) -> str:
    """Name the pool of the chunks that need this classifier; workers claim from the pools that they serve."""
    return f"{CLASSIFY}{classifier_id}"


def pools_of(classifier_id: uuid.UUID) -> list[str]:
    """Name every pool of a classifier."""
    return [f"{prefix}{classifier_id}" for prefix in POOLS_OF_CLASSIFIER]


def tiles_pool_of(pool: str) -> str:
    """Name the pool of tiled photographs for the classifier of ``pool``, which is one of ``pool_of``.

    Programs of the version before do not know it: they would answer each photograph as a whole.
    """
    return f"{TILES}{pool.removeprefix(CLASSIFY)}"


def explain_pool_of(pool: str) -> str:
    """Name the pool of explanations for the classifier of ``pool``, which is one of ``pool_of``.

    Programs of the version before do not know it, and the maps that it is about neither.
    """
    return f"{EXPLAIN}{pool.removeprefix(CLASSIFY)}"


def classifying_pool_of(job: Job) -> str:
    """Name the pool of the classifying chunks of a committed job."""
    if job.classifier_id is None:
        msg = f"job {job.id} was committed without a classifier"
        raise AssertionError(msg)
    pool = pool_of(job.classifier_id)
    return pool if job.tiling is None else tiles_pool_of(pool)


def validating_pool_of(job: Job) -> str:
    """Name the pool of the chunk that validates a job: workers that cannot cut tiles must not cut it into chunks."""
    return ChunkKind.VALIDATE if job.tiling is None else ChunkKind.INSPECT


def is_tiled_pool(pool: str) -> bool:
    """Return True for a pool of tiled photographs."""
    return pool.startswith((TILES, f"{ISOLATED}{TILES}"))


def isolated_pool_of(pool: str) -> str:
    """Name the pool of chunks whose pictures are all decoded in processes of their own, for the same classifier.

    Workers take them in a slot of their own, so that slow pictures of one tenant keep no slot from another.
    """
    return f"{ISOLATED}{pool.removeprefix(CLASSIFY).removeprefix(ISOLATED)}"


def classifier_pool_of(pool: str) -> str:
    """Name the pool as ``pool_of`` does, given any pool of the classifier."""
    bare = pool.removeprefix(ISOLATED).removeprefix(TILES).removeprefix(EXPLAIN).removeprefix(CLASSIFY)
    return f"{CLASSIFY}{bare}"


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


def add_explaining_chunk(session: Session, job: Job, seq: int, *, pool: str) -> None:
    """Add one ready chunk that explains tiles of an image, as urgent as a client that waits, whatever the job is.

    ``open_chunks`` counts it, so that every program closes it as it closes others.
    """
    session.add(
        Chunk(
            job_id=job.id,
            no=_next_no(session, job.id),
            tenant_id=job.tenant_id,
            kind=ChunkKind.EXPLAIN,
            pool=pool,
            priority=PRIORITY_ORDER[Priority.INTERACTIVE],
            first_seq=seq,
            last_seq=seq,
        )
    )
    job.open_chunks += 1
    session.flush()


def drop_ready_exports(session: Session, job_id: uuid.UUID) -> None:
    """Give up the exports of a job that is deleted; one that a worker makes ends at the worker's next check."""
    session.execute(DROP_READY_EXPORTS, {"job": job_id, "kind": ChunkKind.EXPORT})


def cut_chunks(  # noqa: PLR0913  # a range, its sizes and how it runs
    session: Session,
    job: Job,
    *,
    pool: str,
    sizes: ChunkSizes,
    first_seq: int = 0,
    last_seq: int = 2**31 - 1,
    attempt: int = 0,
    isolated: bool = False,
) -> int:
    """Put every image of the range that has no result yet into a classifying chunk; those of tiled jobs by their work.

    Returns:
        How many chunks were made; ``job.open_chunks`` counts them.
    """
    is_tiled = job.tiling is not None
    waiting = session.execute(
        OPEN_WITH_WORK if is_tiled else OPEN, {"job": job.id, "first": first_seq, "last": last_seq}
    ).all()
    work = [row.work for row in waiting]
    ends = [0, *accumulate(cut_by_work(work, max_work=sizes.tiles, max_images=sizes.images))]
    made = [
        _Part(waiting[begin].seq, waiting[end - 1].seq, sum(work[begin:end]) if is_tiled else None)
        for begin, end in pairwise(ends)
    ]
    return _insert(session, job, made, ChunkKind.CLASSIFY, pool=pool, attempt=attempt, isolated=isolated)


def cut_inspections(session: Session, job: Job, *, sizes: ChunkSizes) -> int:
    """Put every image without a result and without a head into an inspecting chunk; return how many were made."""
    unread = session.scalars(UNREAD, {"job": job.id}).all()
    ranges = (unread[begin : begin + sizes.heads] for begin in range(0, len(unread), sizes.heads))
    # As a validation, it costs requests and hardly a processor: one unit of work, however many heads it reads.
    made = [_Part(part[0], part[-1], 1) for part in ranges]
    return _insert(session, job, made, ChunkKind.INSPECT, pool=ChunkKind.INSPECT)


class _Part(NamedTuple):
    """The range of a new chunk, and its work where that is not its number of images."""

    first: int
    last: int
    work: int | None


def _insert(
    session: Session,
    job: Job,
    made: Sequence[_Part],
    kind: ChunkKind,
    *,
    pool: str,
    attempt: int = 0,
    isolated: bool = False,
) -> int:
    session.execute(
        INSERT,
        {
            "job": job.id,
            "tenant": job.tenant_id,
            "firsts": [part.first for part in made],
            "lasts": [part.last for part in made],
            "work": [part.work for part in made],
            "no": _next_no(session, job.id),
            "kind": kind,
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
