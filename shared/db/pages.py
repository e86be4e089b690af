"""Pages that end by their bytes, too: a thousand rows may be a megabyte, or a hundred.

What a client may have written is bounded row by row. A page is so many rows, and so it is bounded here: it ends with
the row that fills it, however few these are, and says that there are more.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, Subquery, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

WEIGHT = "weight"
# Of a page that the caller bounds in no other way.
ANY_SIZE = 2**62


def bytes_of(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """Add up the bytes of texts, or of JSON as it is written; NULL has none."""
    return sum((func.coalesce(func.octet_length(column), 0) for column in columns), cast(0, Integer))


def within(page: Subquery, order: ColumnElement[Any], max_bytes: ColumnElement[int]) -> Select[Any]:
    """Select the rows of a page up to the one that fills it.

    Args:
        page: rows in their order, with the bytes of each as ``weight``; one row more than the page may have.
        order: the column of the page by which it is ordered.
        max_bytes: what the page may weigh; it has one row at least.

    Returns:
        Its columns but for the weight, and behind them how many rows were offered, for :func:`cut`.
    """
    weight = page.c[WEIGHT]
    before = func.coalesce(func.sum(weight).over(order_by=order, rows=(None, -1)), 0).label("before")
    own = [column for column in page.c if column.key != WEIGHT]
    weighed = select(*own, func.count().over().label("offered"), before).subquery("weighed")
    *wanted, bytes_before = weighed.c
    return select(*wanted).where(bytes_before < max_bytes)


def cut(rows: Sequence[Row[Any]], limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    """Cut what :func:`within` selected to ``limit`` rows, each without its last column; and say whether more follow."""
    kept: list[tuple[Any, ...]] = [tuple(row[:-1]) for row in rows[:limit]]
    return kept, bool(rows) and rows[0][-1] > len(kept)
