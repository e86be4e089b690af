"""Shares per class of a job as a whole, of each value of a metadata key, and of each day."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, Text, cast, func, null, select
from sqlalchemy.orm import Session

from shared.contracts.image_names import composed, spellings
from shared.errors import LimitExceeded
from shared.summaries.rows import answered

VALUE_LENGTH = 256
MAX_KEYS = 5  # of metadata, in one summary
READ_AT_A_TIME = 200
GROUPS_SETTING = "PHYTOBATCH_MAX_SUMMARY_GROUPS"


@dataclass(slots=True)
class Shares:
    """Counts of images by their answer.

    ``labels`` are the valid ones; shares are parts of ``counted``, the images that have one. Images that need a
    review, by reason, and those without a classification, by code, are in no share.
    """

    labels: Counter[str] = field(default_factory=Counter)
    review: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    corrected: int = 0

    @property
    def counted(self) -> int:
        """Number of images with a valid label."""
        return self.labels.total()

    @property
    def images(self) -> int:
        """Number of images with a final answer of any kind."""
        return self.counted + self.review.total() + self.failures.total()

    def share(self, label: str) -> float:
        """Return the part of the counted images that have this label, 0 to 1."""
        return self.labels[label] / self.counted if self.counted else 0.0

    def diseased(self, healthy: Collection[str]) -> int:
        """Count the images whose label is none of the healthy ones."""
        return sum(images for label, images in self.labels.items() if label not in healthy)

    def add(self, row: Row[Any]) -> None:
        """Add the number of images with one combination of label, reason and code."""
        for counter, name in ((self.labels, row.label), (self.review, row.review), (self.failures, row.failure)):
            if name is not None:
                counter[name] += row.images
        self.corrected += row.corrected


def overall(session: Session, job_id: uuid.UUID) -> Shares:
    """Count the whole job."""
    groups = _grouped(session, answered(session, job_id), cast(null(), Text))
    return groups.get(None, Shares())


def by_metadata(session: Session, job_id: uuid.UUID, key: str, *, max_values: int) -> dict[str | None, Shares]:
    """Count by the value of a metadata key, in the order of the values; ``None``: images without this key.

    Keys and values that differ only in the composition of their letters are one, and are returned composed.

    Raises:
        LimitExceeded: there are more than ``max_values`` values.
    """
    rows = answered(session, job_id)
    value = func.coalesce(*(rows.c.metadata.op("->>")(form) for form in spellings(key)))
    groups = _grouped(session, rows, value, Bound(key, max_values))
    return {value: groups[value] for value in in_order(groups)}


def by_day(session: Session, job_id: uuid.UUID, *, time_zone: str) -> dict[str | None, Shares]:
    """Count by the day on which the images were taken, as ``2026-05-14``; ``None``: images without a time.

    Args:
        session: a transaction.
        job_id: the job.
        time_zone: the zone of the days, as ``Europe/Madrid``; the caller has checked it.
    """
    rows = answered(session, job_id)
    day = func.to_char(func.timezone(time_zone, rows.c.captured_at), "YYYY-MM-DD")
    groups = _grouped(session, rows, day)
    return {value: groups[value] for value in sorted(groups, key=lambda value: (value is None, value or ""))}


@dataclass(slots=True)
class Bound:
    """The maximum of a key's values, and of their characters together."""

    key: str
    max_values: int
    characters: int = 0

    def check(self, groups: Mapping[str | None, Shares], value: str | None) -> None:
        """Check that there is room for one more value; after an error the rest is not read.

        Raises:
            LimitExceeded: there is no room.
        """
        self.characters += len(value or "")
        if len(groups) >= self.max_values or self.characters > self.max_values * VALUE_LENGTH:
            raise LimitExceeded(
                f"{self.key!r} has more values in this job, or longer ones, than a summary shows: at most "
                f"{self.max_values}, of {VALUE_LENGTH} characters on average; group by something coarser",
                setting=GROUPS_SETTING,
            )


def _grouped(
    session: Session, rows: Subquery, by: ColumnElement[Any], bound: Bound | None = None
) -> dict[str | None, Shares]:
    query = select(
        by.label("value"),
        rows.c.label,
        rows.c.review,
        rows.c.failure,
        func.count().label("images"),
        func.count().filter(rows.c.corrected).label("corrected"),
    ).group_by(by.label("value"), rows.c.label, rows.c.review, rows.c.failure)
    shares: dict[str | None, Shares] = defaultdict(Shares)
    with session.execute(query, execution_options={"yield_per": READ_AT_A_TIME}) as groups:
        for row in groups:
            value = None if row.value is None else composed(row.value)
            if bound is not None and value not in shares:
                bound.check(shares, value)
            shares[value].add(row)
    return dict(shares)


def in_order(values: Iterable[str | None]) -> list[str | None]:
    """Sort numbers by size, before texts by the alphabet; the missing one last."""
    return sorted(values, key=_rank)


def _rank(value: str | None) -> tuple[int, float, str]:
    if value is None:
        return (2, 0.0, "")
    try:
        return (0, float(value), value)
    except ValueError:
        return (1, 0.0, value)
