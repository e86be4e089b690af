"""The images of a job by the source of their position, or by the reason why they have none."""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.summaries.rows import answered


@dataclass(slots=True)
class Positions:
    """Counts of images by the source of their position, and by the reason why they have none."""

    sources: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


def positions(session: Session, job_id: uuid.UUID) -> Positions:
    """Count every image with a final answer."""
    rows = answered(session, job_id)
    counts = Positions()
    for source, fault, images in session.execute(
        select(rows.c.source, rows.c.fault, func.count()).group_by(rows.c.source, rows.c.fault)
    ):
        if source is not None:
            counts.sources[source] += images
        else:
            counts.missing[fault] += images
    return counts
