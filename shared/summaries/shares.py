"""Shares per class of a job as a whole, of each value of a metadata key, and of each day.

Shares of a job of whole photographs count photographs. Those of a job with tiles count the tiles of photographs whose
own answer stands; a photograph that is undecided stands beside them, with its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, Text, cast, func, null, select
from sqlalchemy.orm import Session

from shared.contracts.image_names import composed, spellings
from shared.errors import LimitExceeded
from shared.summaries import tile_shares
from shared.summaries.counting import Counting
from shared.summaries.intervals import Interval, of_photographs
from shared.summaries.tile_shares import TileShares

VALUE_LENGTH = 256
MAX_KEYS = 5  # of metadata, in one summary
READ_AT_A_TIME = 200
GROUPS_SETTING = "PHYTOBATCH_MAX_SUMMARY_GROUPS"


@dataclass(slots=True)
class Shares:
    """Counts of images by their answer, and of their tiles in a job that has some.

    ``labels`` are the valid ones; shares are parts of ``counted``, the images that have one, or of their tiles. Images
    that need a review, by reason, and those without a classification, by code, are in no share. ``undecided`` are
    those of ``review`` that have no label to begin with.
    """

    labels: Counter[str] = field(default_factory=Counter)
    review: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    corrected: int = 0
    undecided: int = 0
    tiles: TileShares | None = None

    @property
    def counted(self) -> int:
        """Number of images with a valid label."""
        return self.labels.total()

    @property
    def images(self) -> int:
        """Number of images with a final answer of any kind."""
        return self.counted + self.review.total() + self.failures.total()

    @property
    def in_order(self) -> list[str]:
        """The labels of images and of tiles, the most frequent first."""
        if self.tiles is None:
            return sorted(self.labels, key=lambda label: (-self.labels[label], label))
        tiles = self.tiles.labels
        return sorted({*self.labels, *tiles}, key=lambda label: (-tiles[label].tiles, -self.labels[label], label))

    def share(self, label: str) -> float:
        """Return the part of the counted images, or of their tiles, that have this label, 0 to 1."""
        if self.tiles is not None:
            return self.tiles.share(self.tiles.labels[label])
        return self.labels[label] / self.counted if self.counted else 0.0

    def interval(self, label: str) -> Interval | None:
        """Return the 95 % interval of that share; ``None`` for fewer than two photographs."""
        if self.tiles is not None:
            return self.tiles.interval(self.tiles.labels[label])
        return of_photographs(self.labels[label], self.counted)

    def diseased(self, healthy: Collection[str]) -> int:
        """Count the images whose label is none of the healthy ones."""
        return sum(images for label, images in self.labels.items() if label not in healthy)

    def diseased_share(self, healthy: Collection[str]) -> float | None:
        """Return the part that is diseased, of images or of tiles; ``None`` where nothing is counted."""
        if self.tiles is not None:
            return self.tiles.share(self.tiles.diseased) if self.tiles.counted else None
        return self.diseased(healthy) / self.counted if self.counted else None

    def diseased_interval(self, healthy: Collection[str]) -> Interval | None:
        """Return the 95 % interval of that share; ``None`` for fewer than two photographs."""
        if self.tiles is not None:
            return self.tiles.interval(self.tiles.diseased)
        return of_photographs(self.diseased(healthy), self.counted)

    def add(self, row: Row[Any]) -> None:
        """Add the number of images with one combination of label, reason and code."""
        for counter, name in ((self.labels, row.label), (self.review, row.review), (self.failures, row.failure)):
            if name is not None:
                counter[name] += row.images
        self.corrected += row.corrected
        self.undecided += row.undecided


def overall(session: Session, counting: Counting) -> Shares:
    """Count the whole job."""
    groups = _grouped(session, counting, counting.rows(session), cast(null(), Text))
    return groups.get(None, empty(counting))


def by_metadata(session: Session, counting: Counting, key: str, *, max_values: int) -> dict[str | None, Shares]:
    """Count by the value of a metadata key, in the order of the values; ``None``: images without this key.

    Keys and values that differ only in the composition of their letters are one, and are returned composed.

    Raises:
        LimitExceeded: there are more than ``max_values`` values.
    """
    rows = counting.rows(session)
    value = func.coalesce(*(rows.c.metadata.op("->>")(form) for form in spellings(key)))
    groups = _grouped(session, counting, rows, value, Bound(key, max_values))
    return {value: groups[value] for value in in_order(groups)}


def by_day(session: Session, counting: Counting, *, time_zone: str) -> dict[str | None, Shares]:
    """Count by the day on which the images were taken, as ``2026-05-14``; ``None``: images without a time.

    Args:
        session: a transaction.
        counting: the job.
        time_zone: the zone of the days, as ``Europe/Madrid``; the caller has checked it.
    """
    rows = counting.rows(session)
    day = func.to_char(func.timezone(time_zone, rows.c.captured_at), "YYYY-MM-DD")
    groups = _grouped(session, counting, rows, day)
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


def empty(counting: Counting) -> Shares:
    """Make the shares of nothing."""
    return Shares(tiles=TileShares() if counting.has_tiles else None)


def _grouped(
    session: Session, counting: Counting, rows: Subquery, by: ColumnElement[Any], bound: Bound | None = None
) -> dict[str | None, Shares]:
    query = select(
        by.label("value"),
        rows.c.label,
        rows.c.review,
        rows.c.failure,
        func.count().label("images"),
        func.count().filter(rows.c.corrected).label("corrected"),
        func.count().filter(rows.c.undecided).label("undecided"),
    ).group_by(by.label("value"), rows.c.label, rows.c.review, rows.c.failure)
    shares: dict[str | None, Shares] = defaultdict(partial(empty, counting))
    with session.execute(query, execution_options={"yield_per": READ_AT_A_TIME}) as groups:
        for row in groups:
            value = None if row.value is None else composed(row.value)
            if bound is not None and value not in shares:
                bound.check(shares, value)
            shares[value].add(row)
    if counting.has_tiles:
        for value, tiles in tile_shares.by_value(session, rows, by, counting.labels, counting.healthy).items():
            shares[value].tiles = tiles
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
