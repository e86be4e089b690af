"""The job that a summary counts, and what it takes for healthy: the same for every table of one answer."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Subquery
from sqlalchemy.orm import Session

from shared.db.models import Job
from shared.summaries.recounting import recount
from shared.summaries.rows import Sums, answered


@dataclass(frozen=True, slots=True)
class Counting:
    """A job to count. ``healthy`` are the labels that are no disease; ``has_tiles``: shares count tiles.

    ``labels`` are the class ids of its classifier, in the order of the manifest, and ``recounted`` the sums of those
    photographs of which people corrected single tiles.
    """

    job_id: uuid.UUID
    healthy: tuple[str, ...] = ()
    has_tiles: bool = False
    labels: tuple[str, ...] = ()
    recounted: Mapping[int, Sums] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, job: Job, *, labels: Sequence[str], healthy: tuple[str, ...]) -> "Counting":
        """Begin to count a job; ``labels`` are the class ids of its classifier, in the order of the manifest."""
        if job.tiling is None:
            return cls(job.id, healthy)
        return cls(job.id, healthy, has_tiles=True, labels=tuple(labels), recounted=recount(session, job.id, labels))

    def rows(self, session: Session) -> Subquery:
        """Select the images with a final answer, for statements of this transaction."""
        return answered(session, self.job_id, self.recounted)
