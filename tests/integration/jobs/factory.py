"""Factories: each test shows only what matters to it."""

import itertools
import uuid

from shared.contracts.exports import ExportContent, ExportFormat
from shared.contracts.job_request import JobRequest
from shared.contracts.states import ChunkKind, ImageStatus, Priority
from shared.db.models import Classifier, Job, Tenant
from shared.db.session import Database
from shared.exports import queries as exports
from shared.jobs import claims, lifecycle, progress
from shared.jobs.chunks import pool_of, tiles_pool_of
from shared.jobs.claims import Claim, Offer
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import NewImage, add_images
from shared.jobs.results import NewResult, ResultFilter

NUMBERS = itertools.count(1)
MANY = 1_000_000


def sizes(images: int, *, tiles: int = 1024, heads: int = 500) -> ChunkSizes:
    """Sizes of chunks, those of tiled jobs as by default."""
    return ChunkSizes(images=images, tiles=tiles, heads=heads)


class Jobs:
    """Makes jobs and moves them along their road, as the programs do."""

    def __init__(self, database: Database, classifier: Classifier) -> None:
        self.database = database
        self.classifier = classifier
        self.pool = pool_of(classifier.id)
        self.tiles_pool = tiles_pool_of(self.pool)

    def tenant(self, *, weight: int = 1) -> uuid.UUID:
        with self.database.begin() as session:
            tenant = Tenant(name=f"tenant-{next(NUMBERS)}", weight=weight)
            session.add(tenant)
            session.flush()
            return tenant.id

    def draft(
        self,
        *,
        images: int = 3,
        tenant: uuid.UUID | None = None,
        priority: Priority = Priority.BULK,
        tiling: object = None,
    ) -> uuid.UUID:
        owner = tenant or self.tenant()
        with self.database.begin() as session:
            job = lifecycle.create_draft(session, owner, JobRequest(priority=priority), draft_hours=1)
            job.tiling = tiling  # type: ignore[assignment]  # as JSON
            job = lifecycle.lock_job(session, job.id)
            add_images(session, job, [NewImage(name=f"{n}.jpg", size=10) for n in range(images)], max_images=MANY)
            return job.id

    def committed(self, **overrides: object) -> uuid.UUID:
        job_id = self.draft(**overrides)  # type: ignore[arg-type]
        with self.database.begin() as session:
            lifecycle.commit(session, job_id, self.classifier.id)
        return job_id

    def queued(self, *, chunk_images: int = 2, **overrides: object) -> uuid.UUID:
        job_id = self.committed(**overrides)
        held = self.claim_kind(ChunkKind.VALIDATE)
        with self.database.begin() as session:
            claims.finish_validation(session, held, [], sizes=sizes(chunk_images))
        return job_id

    def claim_kind(self, kind: ChunkKind, *, lease_seconds: float = 60) -> Claim:
        held = self.try_claim(pool=kind, lease_seconds=lease_seconds)
        assert held is not None
        return held

    def export(self, job_id: uuid.UUID, name: ExportFormat = ExportFormat.CSV) -> uuid.UUID:
        """Add an export to a job; its id."""
        with self.database.begin() as session:
            job = lifecycle.lock_job(session, job_id)
            return exports.request(session, job, ExportContent.RESULTS, name, ResultFilter(), max_exports=MANY).id

    def claim(self, *, lease_seconds: float = 60) -> Claim:
        held = self.try_claim(lease_seconds=lease_seconds)
        assert held is not None
        return held

    def try_claim(self, *, pool: str | None = None, lease_seconds: float = 60) -> Claim | None:
        offers = [Offer(pool or self.pool, Priority.INTERACTIVE), Offer(pool or self.pool, Priority.BULK)]
        with self.database.begin() as session:
            return claims.claim(session, offers, worker="test", lease_seconds=lease_seconds)

    def finish(self, held: Claim, *, status: ImageStatus = ImageStatus.SUCCEEDED) -> None:
        # As workers do: a claim that came too late for a chunk may hold its row while it waits for that of the job.
        self.database.run(lambda session: claims.finish(session, held, answers(held, status=status)))

    def get(self, job_id: uuid.UUID) -> Job:
        with self.database.begin() as session:
            return session.get_one(Job, job_id)

    def counts(self, job_id: uuid.UUID) -> dict[str, int]:
        return progress.counts(self.get(job_id))


def answers(held: Claim, *, status: ImageStatus = ImageStatus.SUCCEEDED, label: str = "rust") -> list[NewResult]:
    """An answer for each image of the chunk."""
    return [
        NewResult(seq=seq, status=status, label=label, confidence=0.75, probabilities=(0.25, 0.75), needs_review=False)
        for seq in range(held.first_seq, held.last_seq + 1)
    ]
