"""The calls of ``/v1/webhooks``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from phytobatch.calls import Calls, idempotency, path_of
from phytobatch.resources import JsonObject, Page
from phytobatch.webhooks.resources import Delivery, JobSecret, Webhook

_PATH = "/v1/webhooks"
PAGE_SIZE = 100


class Webhooks:
    """The endpoints of the key's tenant. Errors as ``Phytobatch`` raises them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        url: str,
        *,
        events: Sequence[str] | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Webhook:
        """Make an endpoint; its ``secret`` is in this answer alone. Without ``events``: all but ``job.progress``.

        Raises:
            InvalidRequest: ``webhook-url-refused``: the server sends nothing there.
        """
        body = _given(url=url, events=list(events) if events else None, description=description)
        answer = self._calls.post(_PATH, body, headers=idempotency(idempotency_key))
        return answer.parse(Webhook.from_json)

    def page(self, *, after: str | None = None, limit: int | None = None) -> Page[Webhook]:
        """Return one page of endpoints, newest first."""
        return self._calls.get(_PATH, query={"after": after, "limit": limit}).parse(Webhook.page)

    def list(self, *, page_size: int = PAGE_SIZE) -> Iterator[Webhook]:
        """Yield every endpoint, newest first; the addresses of single jobs are none of them."""
        after: str | None = None
        while True:
            page = self.page(after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def get(self, webhook_id: str) -> Webhook:
        """Return the endpoint as it is now."""
        return self._calls.get(_path(webhook_id)).parse(Webhook.from_json)

    def update(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
    ) -> Webhook:
        """Change what is given."""
        body = _given(url=url, events=list(events) if events else None, description=description)
        return self._calls.patch(_path(webhook_id), body).parse(Webhook.from_json)

    def delete(self, webhook_id: str) -> None:
        """Remove the endpoint with its deliveries."""
        self._calls.delete(_path(webhook_id))

    def rotate(self, webhook_id: str) -> Webhook:
        """Make a new ``secret``; the old one signs too until ``previous_secret_until``."""
        return self._calls.post(f"{_path(webhook_id)}/rotate").parse(Webhook.from_json)

    def enable(self, webhook_id: str) -> Webhook:
        """Send again; what waited is due at once."""
        return self._calls.post(f"{_path(webhook_id)}/enable", repeatable=True).parse(Webhook.from_json)

    def disable(self, webhook_id: str) -> Webhook:
        """Send nothing more, and keep no new events for it."""
        return self._calls.post(f"{_path(webhook_id)}/disable", repeatable=True).parse(Webhook.from_json)

    def test(self, webhook_id: str) -> Delivery:
        """Send a ``webhook.test``; the delivery says what became of it.

        Raises:
            Conflict: ``webhook-disabled``.
        """
        return self._calls.post(f"{_path(webhook_id)}/test").parse(Delivery.from_json)

    def redeliver(self, webhook_id: str, since: datetime, *, all_events: bool = False) -> int:
        """Send what happened since then and did not arrive; with ``all_events`` also what did. Returns how many.

        Raises:
            ValueError: ``since`` has no time zone.
        """
        if since.tzinfo is None:
            raise ValueError("since needs a time zone")
        body = {"since": since.isoformat(), "all": all_events}
        # What arrived meanwhile would be sent once more by a repeat with all_events.
        answer = self._calls.post(f"{_path(webhook_id)}/redeliver", body, repeatable=not all_events)
        return answer.parse(lambda data: int(data["redelivered"]))

    def job_secret(self) -> JobSecret:
        """Return whether there is a secret for the ``webhook_url`` of jobs, and since when."""
        return self._calls.get(f"{_PATH}/job-secret").parse(JobSecret.from_json)

    def new_job_secret(self) -> JobSecret:
        """Make that secret, or rotate it; its text is in this answer alone."""
        return self._calls.post(f"{_PATH}/job-secret").parse(JobSecret.from_json)


def _path(webhook_id: str) -> str:
    return path_of("webhooks", webhook_id)


def _given(**values: object) -> JsonObject:
    return {name: value for name, value in values.items() if value is not None}
