"""The sums of maps in SQL: ``results.tile_sums``, as ``TileSums`` writes it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

KINDS = ("labels", "review", "skipped")


def add_up(sums: ColumnElement[Any], keys: Collection[str] | None = None) -> ColumnElement[int]:
    """Add up the values of one JSON object of numbers, or those of some keys."""
    each = func.jsonb_each_text(sums).table_valued("key", "value")
    total = select(func.coalesce(func.sum(cast(each.c.value, BigInteger)), 0))
    wanted = total if keys is None else total.where(each.c.key.in_(list(keys)))
    return cast(wanted.scalar_subquery(), BigInteger)


def count_tiles(sums: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """Count all tiles of a map, whatever their answers."""
    labels, review, skipped = (add_up(sums.op("->")(kind)) for kind in KINDS)
    return labels + review + skipped
