"""Shares of the tiles of a job, whose photographs are the clusters of every interval."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Row,
    Subquery,
    Text,
    TextualSelect,
    case,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.contracts.image_names import composed
from shared.summaries.intervals import Hits, Interval, Sample, of_tiles
from shared.summaries.rows import Sums
from shared.tiles.sums import add_up, count_tiles

# No join is made of the parts of JSON: it would be a nested loop, which is switched off here (``shared.db.plans``).
TOTALS = text(
    """
    SELECT value, 'sample' AS kind, '' AS key, count(*) AS photographs, sum(counted)::bigint AS tiles,
           sum(counted * counted)::bigint AS squares, 0::bigint AS products
    FROM photographs WHERE is_valid AND counted > 0 GROUP BY value
    UNION ALL
    SELECT value, 'healthy', '', count(*), sum(healthy)::bigint, sum(healthy * healthy)::bigint,
           sum(healthy * counted)::bigint
    FROM photographs WHERE is_valid AND counted > 0 GROUP BY value
    UNION ALL
    SELECT value, 'labels', (each).key, count(*), sum((each).value::bigint)::bigint,
           sum((each).value::bigint * (each).value::bigint)::bigint, sum((each).value::bigint * counted)::bigint
    FROM (SELECT value, counted, jsonb_each_text(labels) AS each FROM photographs WHERE is_valid) AS l
    GROUP BY value, (each).key
    UNION ALL
    SELECT value, 'review', (each).key, count(*), sum((each).value::bigint)::bigint, 0, 0
    FROM (SELECT value, jsonb_each_text(sums -> 'review') AS each FROM photographs WHERE is_valid) AS r
    GROUP BY value, (each).key
    UNION ALL
    SELECT value, 'skipped', (each).key, count(*), sum((each).value::bigint)::bigint, 0, 0
    FROM (SELECT value, jsonb_each_text(sums -> 'skipped') AS each FROM photographs WHERE is_valid) AS s
    GROUP BY value, (each).key
    UNION ALL
    SELECT value, 'beside', '', count(*), sum(beside)::bigint, 0, 0
    FROM photographs WHERE NOT is_valid GROUP BY value
    """
)


@dataclass(slots=True)
class TileShares:
    """Counts of tiles by their answer, of the photographs whose own answer stands.

    ``review`` and ``skipped`` are their tiles that do not count, by reason. ``beside`` are all tiles of photographs
    that need a review: their answer is not settled, so none of their tiles is in a share.
    """

    sample: Sample = field(default_factory=Sample)
    labels: defaultdict[str, Hits] = field(default_factory=lambda: defaultdict(Hits))
    healthy: Hits = field(default_factory=Hits)
    review: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    beside: int = 0

    @property
    def counted(self) -> int:
        """Number of tiles that count."""
        return self.sample.tiles

    @property
    def total(self) -> int:
        """Number of all tiles."""
        return self.counted + self.review.total() + self.skipped.total() + self.beside

    @property
    def diseased(self) -> Hits:
        """The counted tiles whose label is none of the healthy ones."""
        return self.healthy.others(self.sample)

    def share(self, hits: Hits) -> float:
        """Return the part of the counted tiles, 0 to 1."""
        return hits.tiles / self.counted if self.counted else 0.0

    def interval(self, hits: Hits) -> Interval | None:
        """Return the interval of that part; ``None`` where fewer than two photographs have tiles that count."""
        return of_tiles(hits, self.sample)

    def add_totals(self, row: Row[Any]) -> None:
        """Add a row of ``TOTALS``."""
        ADDED[row.kind](self, row)

    def add_photograph(self, label: str | None, sums: Sums, healthy: Collection[str]) -> None:
        """Add one photograph with the sums that count; ``label`` is its own valid one."""
        if label is None:
            self.beside += sum(sum(kind.values()) for kind in sums.values())
            return
        labels = sums["labels"]
        counted = sum(labels.values())
        if counted:
            self.sample.add(1, counted, counted * counted)
            _add(self.healthy, sum(labels.get(name, 0) for name in healthy), counted)
        for name, tiles in labels.items():
            _add(self.labels[name], tiles, counted)
        self.review.update(sums["review"])
        self.skipped.update(sums["skipped"])


def _add(hits: Hits, tiles: int, counted: int) -> None:
    hits.add(tiles, tiles * tiles, tiles * counted)


def _add_beside(shares: TileShares, row: Row[Any]) -> None:
    shares.beside += row.tiles


ADDED: Mapping[str, Callable[[TileShares, Row[Any]], None]] = {
    "sample": lambda shares, row: shares.sample.add(row.photographs, row.tiles, row.squares),
    "healthy": lambda shares, row: shares.healthy.add(row.tiles, row.squares, row.products),
    "labels": lambda shares, row: shares.labels[row.key].add(row.tiles, row.squares, row.products),
    "review": lambda shares, row: shares.review.update({row.key: row.tiles}),
    "skipped": lambda shares, row: shares.skipped.update({row.key: row.tiles}),
    "beside": _add_beside,
}


def sums_that_count(rows: Subquery) -> ColumnElement[Any]:
    """Select the sums of a photograph's map as they count: those of ``shared.tiles.tile_map.TileSums``, corrected.

    Where a person corrected the photograph as a whole, all its tiles that count have that label.
    """
    counted = add_up(rows.c.tile_sums.op("->")("labels"))
    relabeled = func.jsonb_build_object("labels", func.jsonb_build_object(rows.c.label, counted))
    whole = rows.c.tile_sums.op("||")(relabeled)
    return func.coalesce(rows.c.recounted, case((rows.c.corrected, whole), else_=rows.c.tile_sums), type_=JSONB)


def by_value(
    session: Session, rows: Subquery, by: ColumnElement[Any], healthy: Collection[str]
) -> dict[str | None, TileShares]:
    """Count the tiles of the photographs by a value, composed as ``shared.contracts.image_names`` does it."""
    found: dict[str | None, TileShares] = defaultdict(TileShares)
    for row in session.execute(totals(rows, by, healthy)):
        found[None if row.value is None else composed(row.value)].add_totals(row)
    return dict(found)


def totals(rows: Subquery, by: ColumnElement[Any], healthy: Collection[str]) -> TextualSelect:
    """Select the rows of ``TOTALS``."""
    columns = {"value": Text, "kind": Text, "key": Text} | dict.fromkeys(
        ("photographs", "tiles", "squares", "products"), BigInteger
    )
    return TOTALS.columns(**columns).add_cte(_photographs(rows, by, healthy))


def _photographs(rows: Subquery, by: ColumnElement[Any], healthy: Collection[str]) -> CTE:
    own = select(by.label("value"), rows.c.label, sums_that_count(rows).label("sums")).where(
        rows.c.tile_sums.is_not(None)
    )
    each = own.subquery("each_photograph")
    labels = each.c.sums.op("->")("labels")
    is_valid = each.c.label.is_not(None)
    return select(
        each.c.value,
        each.c.sums,
        is_valid.label("is_valid"),
        labels.label("labels"),
        add_up(labels).label("counted"),
        add_up(labels, healthy).label("healthy"),
        case((~is_valid, count_tiles(each.c.sums))).label("beside"),
    ).cte("photographs")
