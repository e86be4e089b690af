"""Shares of the tiles of a job, whose photographs are the clusters of every interval."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, and_, case, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.contracts.image_names import composed
from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import TileSkip
from shared.summaries.intervals import Hits, Interval, Sample, of_tiles
from shared.summaries.rows import Sums
from shared.tiles.sums import add_up

READ_AT_A_TIME = 200
REVIEW = tuple(reason.value for reason in ReviewReason)
SKIPPED = tuple(reason.value for reason in TileSkip)


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


def sums_that_count(rows: Subquery) -> ColumnElement[Any]:
    """Select the sums of a photograph's map as they count: those of ``shared.tiles.tile_map.TileSums``, corrected.

    Where a person corrected the photograph as a whole, all its tiles that count have that label.
    """
    counted = add_up(rows.c.tile_sums.op("->")("labels"))
    relabeled = func.jsonb_build_object("labels", func.jsonb_build_object(rows.c.label, counted))
    whole = rows.c.tile_sums.op("||")(relabeled)
    has_label = and_(rows.c.corrected, rows.c.label.is_not(None))
    return func.coalesce(rows.c.recounted, case((has_label, whole), else_=rows.c.tile_sums), type_=JSONB)


def by_value(
    session: Session, rows: Subquery, by: ColumnElement[Any], labels: Sequence[str], healthy: Collection[str]
) -> dict[str | None, TileShares]:
    """Count the tiles of the photographs by a value, composed as ``shared.contracts.image_names`` does it.

    Photographs with a correction are few, and have labels that the classifier may not know: they are added here, one
    after the other. PostgreSQL adds up all others, which takes a tenth of the time.
    """
    found: dict[str | None, TileShares] = defaultdict(TileShares)
    for value, *sums in session.execute(totals(rows, by, labels, healthy)):
        _add_totals(found[_composed(value)], iter(sums), labels)
    corrected = select(by.label("value"), rows.c.label, sums_that_count(rows).label("sums")).where(_is_corrected(rows))
    for value, label, sums in session.execute(corrected, execution_options={"yield_per": READ_AT_A_TIME}):
        found[_composed(value)].add_photograph(label, sums, healthy)
    return dict(found)


def _composed(value: str | None) -> str | None:
    return None if value is None else composed(value)


def _is_corrected(rows: Subquery) -> ColumnElement[bool]:
    return and_(rows.c.tile_sums.is_not(None), or_(rows.c.corrected, rows.c.recounted.is_not(None)))


def totals(
    rows: Subquery, by: ColumnElement[Any], labels: Sequence[str], healthy: Collection[str]
) -> Select[*tuple[Any, ...]]:
    """Add up the photographs without a correction, by value; :func:`_add_totals` reads the columns in this order.

    Every number is taken from the JSON by its key: functions that return its pairs as rows take ten times as long.
    """
    each = _numbers(rows, by, labels, healthy)
    counts = and_(each.c.is_valid, each.c.counted > 0)

    def total(number: ColumnElement[Any], where: ColumnElement[bool] = counts) -> ColumnElement[int]:
        return cast(func.coalesce(func.sum(number).filter(where), 0), BigInteger)

    def hits(number: ColumnElement[Any]) -> tuple[ColumnElement[int], ...]:
        return total(number), total(number * number), total(number * each.c.counted)

    return select(
        each.c.value,
        func.count().filter(counts),
        total(each.c.counted),
        total(each.c.counted * each.c.counted),
        total(each.c.counted + each.c.others, ~each.c.is_valid),
        *hits(each.c.healthy),
        *(column for number in range(len(labels)) for column in hits(each.c[f"labels_{number}"])),
        *(total(each.c[f"review_{number}"], each.c.is_valid) for number in range(len(REVIEW))),
        *(total(each.c[f"skipped_{number}"], each.c.is_valid) for number in range(len(SKIPPED))),
    ).group_by(each.c.value)


def _numbers(rows: Subquery, by: ColumnElement[Any], labels: Sequence[str], healthy: Collection[str]) -> Subquery:
    """Select the numbers of each photograph. OFFSET keeps PostgreSQL from taking them out of the JSON at each use."""
    keys = {"labels": labels, "review": REVIEW, "skipped": SKIPPED}
    own = {
        f"{kind}_{number}": func.coalesce(cast(rows.c.tile_sums.op("->")(kind).op("->>")(key), BigInteger), 0)
        for kind, names in keys.items()
        for number, key in enumerate(names)
    }
    one = (
        select(
            by.label("value"),
            rows.c.label.is_not(None).label("is_valid"),
            *(number.label(name) for name, number in own.items()),
        )
        .where(rows.c.tile_sums.is_not(None), ~_is_corrected(rows))
        .offset(literal_column("0"))
        .subquery("own")
    )
    is_healthy = [number for number, label in enumerate(labels) if label in healthy]
    others = (f"{kind}_{number}" for kind in ("review", "skipped") for number in range(len(keys[kind])))
    return (
        select(
            *one.c,
            _sum(one.c[f"labels_{number}"] for number in range(len(labels))).label("counted"),
            _sum(one.c[f"labels_{number}"] for number in is_healthy).label("healthy"),
            _sum(one.c[name] for name in others).label("others"),
        )
        .offset(literal_column("0"))
        .subquery("each_photograph")
    )


def _sum(numbers: Iterable[ColumnElement[int]]) -> ColumnElement[int]:
    return sum(numbers, cast(0, BigInteger))


def _add_totals(shares: TileShares, sums: Iterator[int], labels: Sequence[str]) -> None:
    shares.sample.add(next(sums), next(sums), next(sums))
    shares.beside += next(sums)
    shares.healthy.add(next(sums), next(sums), next(sums))
    for label in labels:
        tiles, squares, products = next(sums), next(sums), next(sums)
        if tiles:
            shares.labels[label].add(tiles, squares, products)
    for counter, names in ((shares.review, REVIEW), (shares.skipped, SKIPPED)):
        counter.update({name: tiles for name in names if (tiles := next(sums))})
