"""The sums of maps in SQL: ``results.tile_sums``, as ``TileSums`` writes it."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

KINDS = ("labels", "review", "skipped")


def add_up(sums: ColumnElement[Any]) -> ColumnElement[int]:
    """Add up the values of one JSON object of numbers."""
    each = func.jsonb_each_text(sums).table_valued("key", "value")
    total = select(func.coalesce(func.sum(cast(each.c.value, BigInteger)), 0))
    return cast(total.scalar_subquery(), BigInteger)


def count_tiles(sums: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """Count all tiles of a map, whatever their answers."""
    labels, review, skipped = (add_up(sums.op("->")(kind)) for kind in KINDS)
    return labels + review + skipped
