"""The calls of ``/v1/receipts``."""

from __future__ import annotations

from collections.abc import Iterator

from phytobatch.calls import Calls, path_of
from phytobatch.receipts.resources import Receipt
from phytobatch.resources import Page

_PATH = "/v1/receipts"
PAGE_SIZE = 100


class Receipts:
    """The proofs of what was removed. Errors as ``Phytobatch`` raises them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def page(self, *, job_id: str | None = None, after: str | None = None, limit: int | None = None) -> Page[Receipt]:
        """Read one page of receipts, newest first; ``job_id`` of a job that is gone."""
        return self._calls.get(_PATH, query={"job_id": job_id, "after": after, "limit": limit}).parse(Receipt.page)

    def list(self, *, job_id: str | None = None, page_size: int = PAGE_SIZE) -> Iterator[Receipt]:
        """List every receipt, newest first."""
        after: str | None = None
        while True:
            page = self.page(job_id=job_id, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def get(self, receipt_id: str) -> Receipt:
        """Read one receipt."""
        return self._calls.get(path_of("receipts", receipt_id)).parse(Receipt.from_json)
