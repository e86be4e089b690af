"""What ``idle_worker`` has in the place of a classifier: the same answer for every image, at no cost."""

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

from sqlalchemy import text

from shared.classifiers import registry
from shared.contracts.manifest import ClassLabel, Manifest
from shared.db.session import Database
from shared.jobs.chunks import pool_of
from shared.settings import Settings
from shared.storage.store import ObjectStore, StoredObject
from worker.inference.classifier import GpuMemory
from worker.inference.interpret import Interpretation, RankedClass
from worker.inference.pipeline import Item, Outcome

LISTING = text("SELECT seq, object_key, size FROM images WHERE job_id = :job AND seq > :after ORDER BY seq LIMIT 1000")
BATCH = 32
LABELS = ("healthy", "powdery_mildew", "rust")
MANIFEST = Manifest(
    name="nothing",
    version="1",
    sha256="0" * 64,
    classes=tuple(ClassLabel(id=label) for label in LABELS),
    input_size=(8, 8),
)
ANSWER = Interpretation(
    label="rust",
    label_names={},
    confidence=0.75,
    probabilities=dict(zip(LABELS, (0.05, 0.2, 0.75), strict=True)),
    top=(RankedClass("rust", 0.75),),
    review_reason=None,
)


class Nothing:
    """In the place of a classifier and its pipeline."""

    manifest = MANIFEST
    runtime = "nothing 1"
    bytes_in_use = 0
    bytes_limit = 0

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.classifier = self

    def gpu_memory(self) -> Sequence[GpuMemory]:
        return ()

    def close(self) -> None:
        """There is nothing to close."""

    def run(
        self,
        items: Sequence[Item],
        fetch: Callable[[Item], bytes],  # noqa: ARG002  # as Pipeline.run
        *,
        on_batch: Callable[[], None],
        isolated: bool = False,  # noqa: ARG002
        urgent: bool = False,  # noqa: ARG002
    ) -> Generator[Outcome, None, None]:
        """The same answer for each, in batches."""
        for at in range(0, len(items), self.batch_size):
            on_batch()
            for item in items[at : at + self.batch_size]:
                yield Outcome(item.seq, interpretation=ANSWER)


def open_nothing(settings: Settings, database: Database, store: ObjectStore) -> dict[str, Nothing]:
    """In the place of ``worker.serving.open_pipelines``. For validation, everything that was announced has arrived."""
    vars(store).update({"list_objects": partial(arrived, database)})
    known = database.run(lambda session: registry.register(session, MANIFEST))
    return {pool_of(known.id): Nothing(settings.batch_size or BATCH)}


def arrived(database: Database, prefix: str, *, bucket: str | None = None) -> Iterator[StoredObject]:  # noqa: ARG001
    """The images of a job as a listing shows them, in pages of 1,000 as from S3."""
    job = uuid.UUID(prefix.strip("/").rpartition("/")[2])
    after = 0
    while True:
        with database.begin() as session:
            page = session.execute(LISTING, {"job": job, "after": after}).all()
        if not page:
            return
        for row in page:
            yield StoredObject(row.object_key, row.size, etag=f"{row.seq:032x}")
        after = page[-1].seq
