"""The calls of ``/v1/deliveries``."""

from __future__ import annotations

from collections.abc import Iterator

from phytobatch.calls import Calls, path_of
from phytobatch.resources import Page
from phytobatch.webhooks.resources import Delivery

_PATH = "/v1/deliveries"
PAGE_SIZE = 100


class Deliveries:
    """The deliveries, made and pending, to the tenant's endpoints. Errors as ``Phytobatch`` raises them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def page(
        self,
        *,
        webhook_id: str | None = None,
        job_id: str | None = None,
        state: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[Delivery]:
        """Return one page of deliveries, newest first."""
        query = {"endpoint": webhook_id, "job": job_id, "state": state, "after": after, "limit": limit}
        return self._calls.get(_PATH, query=query).parse(Delivery.page)

    def list(
        self,
        *,
        webhook_id: str | None = None,
        job_id: str | None = None,
        state: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Delivery]:
        """Yield every delivery, newest first, without bodies and attempts."""
        after: str | None = None
        while True:
            page = self.page(webhook_id=webhook_id, job_id=job_id, state=state, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def get(self, delivery_id: str) -> Delivery:
        """Return the delivery with its body and its last 100 attempts."""
        return self._calls.get(path_of("deliveries", delivery_id)).parse(Delivery.from_json)

    def redeliver(self, delivery_id: str) -> Delivery:
        """Send it now, and begin its schedule again.

        Raises:
            Conflict: ``webhook-disabled``.
        """
        return self._calls.post(f"{path_of('deliveries', delivery_id)}/redeliver").parse(Delivery.from_json)
