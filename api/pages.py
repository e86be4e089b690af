"""Cursor pages: how many rows a client may ask for."""

from typing import Annotated

from fastapi import Query

from shared.errors import LimitExceeded
from shared.settings import Settings

DEFAULT = 100
MAX_ROWS = 1000

Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="Maximum number of rows in the answer.")]


def check_limit(limit: int, settings: Settings) -> None:
    """Return if the operator allows pages of this size.

    Raises:
        LimitExceeded: the page is too large.
    """
    if limit > settings.max_page_size:
        raise LimitExceeded(
            f"a page has at most {settings.max_page_size} rows; ask for fewer", setting="PHYTOBATCH_MAX_PAGE_SIZE"
        )
