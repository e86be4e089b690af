"""Pages with a maximum of bytes: a thousand rows may have a megabyte, or a hundred.

Single rows are bounded when clients write them. A page of many rows is bounded here: it ends with the row that fills
it, and says that there are more.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, Subquery, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

WEIGHT = "weight"
# For a page without a maximum of bytes.
ANY_SIZE = 2**62


def bytes_of(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """Add up the bytes of texts, or of JSON in its written form; NULL has none."""
    return sum((func.coalesce(func.octet_length(column), 0) for column in columns), cast(0, Integer))


def within(page: Subquery, order: ColumnElement[Any], max_bytes: ColumnElement[int]) -> Select[Any]:
    """Select the rows of a page up to the one that fills it.

    Args:
        page: rows in their order, with the bytes of each as ``weight``; one row more than the page may have.
        order: the column of the page by which it is ordered.
        max_bytes: maximum weight of the page, which has at least one row.

    Returns:
        Its columns without the weight, and behind them the number of offered rows, for :func:`cut`.
    """
    weight = page.c[WEIGHT]
    before = func.coalesce(func.sum(weight).over(order_by=order, rows=(None, -1)), 0).label("before")
    own = [column for column in page.c if column.key != WEIGHT]
    weighed = select(*own, func.count().over().label("offered"), before).subquery("weighed")
    *columns, bytes_before = weighed.c
    return select(*columns).where(bytes_before < max_bytes)


def cut(rows: Sequence[Row[Any]], limit: int) -> tuple[list[tuple[Any, ...]], bool]:
    """Cut the rows of :func:`within` to ``limit``, each without its last column; also return whether more follow."""
    page: list[tuple[Any, ...]] = [tuple(row[:-1]) for row in rows[:limit]]
    return page, bool(rows) and rows[0][-1] > len(page)
