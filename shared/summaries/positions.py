"""How many images of a job have a position, from whom, and why the others have none."""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.summaries.rows import answered


@dataclass(slots=True)
class Positions:
    """Images by the source of their position, and by the reason why they have none."""

    sources: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


def positions(session: Session, job_id: uuid.UUID) -> Positions:
    """Of every image with a final answer."""
    rows = answered(session, job_id)
    found = Positions()
    for source, fault, images in session.execute(
        select(rows.c.source, rows.c.fault, func.count()).group_by(rows.c.source, rows.c.fault)
    ):
        if source is not None:
            found.sources[source] += images
        else:
            found.missing[fault] += images
    return found
