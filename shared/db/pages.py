"""Pages that end by their bytes, too: a thousand rows may be a megabyte, or a hundred.

What a client may have written is bounded row by row. A page is so many rows, and so it is bounded here: it ends with
the row that fills it, however few these are, and says that there are more.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Integer, Select, Subquery, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")

WEIGHT = "weight"
# Of a page that the caller bounds in no other way.
ANY_SIZE = 2**62


def bytes_of(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """The bytes of texts, or of JSON as it is written, together; of NULL none."""
    return sum((func.coalesce(func.octet_length(column), 0) for column in columns), cast(0, Integer))


def within(page: Subquery, order: ColumnElement[Any], most: ColumnElement[int]) -> Select[Any]:
    """The rows of a page up to the one that fills it, and one more, if there is one.

    Args:
        page: rows in their order, with the bytes of each as ``weight``.
        order: the column of the page by which it is ordered.
        most: bytes.

    Returns:
        Its columns but for the weight, and behind them the bytes of the rows before, for :func:`end_of`.
    """
    weight = page.c[WEIGHT]
    # Of the rows before, and of those before the one before: the row behind the last one is wanted, too.
    before = func.sum(weight).over(order_by=order, rows=(None, -1)).label("before")
    earlier = func.sum(weight).over(order_by=order, rows=(None, -2)).label("earlier")
    own = [column for column in page.c if column.key != WEIGHT]
    counted = select(*own, before, earlier).subquery("counted")
    *wanted, _ = counted.c
    return select(*wanted).where(func.coalesce(counted.c.earlier, 0) < most)


def end_of(before: Sequence[int | None], *, limit: int, most: int) -> int:
    """How many rows are on the page, of those that were read; where that is fewer, there are more.

    Args:
        before: of each row the bytes of the rows before it; ``None`` of the first.
        limit: rows of the page.
        most: bytes of the page.
    """
    full = next((number for number, size in enumerate(before) if size is not None and size >= most), len(before))
    return min(full, limit)
