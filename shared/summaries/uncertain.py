"""The images that a person should review first."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from shared.summaries.rows import answered

MAX_IMAGES = 10


def least_certain(session: Session, job_id: uuid.UUID, *, max_images: int = MAX_IMAGES) -> Sequence[Row[Any]]:
    """Select the classified images with the lowest confidence and without a correction, the least certain first.

    Each row has ``seq``, ``name``, ``predicted``, ``confidence`` (0 to 1), ``review`` and the position.
    """
    rows = answered(session, job_id)
    return session.execute(
        select(rows)
        .where(rows.c.predicted.is_not(None), ~rows.c.corrected)
        .order_by(rows.c.confidence, rows.c.seq)
        .limit(max_images)
    ).all()
