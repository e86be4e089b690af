"""Deliveries on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.links import link
from shared.contracts.states import AttemptError, DeliveryState, EventType
from shared.db.models import WebhookAttempt
from shared.webhooks.body import encode, envelope
from shared.webhooks.queries import DeliveryDetail, DeliveryRow

ID = "01934f70-11d2-7c45-9a01-7be2f3c4d5e6"
JOB = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
EXAMPLE: dict[str, Any] = {
    "id": ID,
    "endpoint_id": "01934f6d-0c1a-7d3b-8e2f-0a1b2c3d4e5f",
    "url": "https://farm.example.org/hooks",
    "webhook_id": "01934f70-11d1-7a90-b3c4-d5e6f7a8b9c0",
    "event": "job.completed",
    "job_id": JOB,
    "state": "pending",
    "attempts": 3,
    "next_attempt_at": "2026-06-01T08:45:00Z",
    "last_status": 503,
    "last_error": None,
    "created_at": "2026-06-01T08:09:12Z",
    "ended_at": None,
    "links": {"self": f"/v1/deliveries/{ID}", "redeliver": f"/v1/deliveries/{ID}/redeliver"},
}
ATTEMPT: dict[str, Any] = {
    "at": "2026-06-01T08:14:20Z",
    "milliseconds": 41,
    "status": 503,
    "error": None,
    "response": "down for maintenance",
}
BODY = f'{{"type":"job.completed","timestamp":"2026-06-01T08:09:12Z","data":{{"job_id":"{JOB}","state":"completed"}}}}'


class DeliveryLinks(BaseModel):
    """Paths on this server."""

    self: str
    redeliver: str


class DeliveryOut(BaseModel):
    """One event on its way to one webhook."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    endpoint_id: uuid.UUID
    url: str
    webhook_id: uuid.UUID = Field(description="The header `webhook-id`: the same at every attempt.")
    event: EventType
    job_id: uuid.UUID | None
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None = Field(description="While it is pending.")
    last_status: int | None
    last_error: AttemptError | None
    created_at: datetime
    ended_at: datetime | None
    links: DeliveryLinks


class AttemptOut(BaseModel):
    """One POST, or the reason why there was none."""

    at: datetime
    milliseconds: int
    status: int | None
    error: AttemptError | None
    response: str | None = Field(description="The first kilobyte of the answer.")


class DeliveryWithAttempts(DeliveryOut):
    """A delivery, its body, and its latest attempts."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"body": BODY, "attempt_log": [ATTEMPT]}]})

    body: str = Field(description="The text that is sent and signed.")
    attempt_log: list[AttemptOut] = Field(description="Newest first, 100 at most.")


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"deliveries": [EXAMPLE], "after": ID, "has_more": False}]}
    )

    deliveries: list[DeliveryOut]
    after: str | None = Field(description="Cursor for the next page; `null` when there is nothing.")
    has_more: bool


def delivery_path(delivery_id: uuid.UUID) -> str:
    """Return the path of a delivery on this server."""
    return link(f"/v1/deliveries/{delivery_id}")


def delivery_out(row: DeliveryRow) -> DeliveryOut:
    """Return a delivery as clients see it."""
    return DeliveryOut(**_fields(row))


def delivery_with_attempts(detail: DeliveryDetail, *, public_url: str | None) -> DeliveryWithAttempts:
    """Return a delivery with its body, made as the deliverer makes it, and its attempts."""
    event = detail.event
    sent = encode(envelope(event.type, event.created_at, event.data, public_url=public_url))
    return DeliveryWithAttempts(
        **_fields(detail.row), body=sent.decode(), attempt_log=[_attempt_out(attempt) for attempt in detail.attempts]
    )


def delivery_page(rows: Sequence[DeliveryRow], *, after: uuid.UUID | None, has_more: bool) -> DeliveryPage:
    """Make a page; an empty one returns the caller's own cursor."""
    last = rows[-1].delivery.id if rows else after
    return DeliveryPage(
        deliveries=[delivery_out(row) for row in rows], after=None if last is None else str(last), has_more=has_more
    )


def _fields(row: DeliveryRow) -> dict[str, Any]:
    delivery, path = row.delivery, delivery_path(row.delivery.id)
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "url": row.url,
        "webhook_id": delivery.event_id,
        "event": delivery.event_type,
        "job_id": row.job_id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at if delivery.state == DeliveryState.PENDING else None,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": delivery.created_at,
        "ended_at": delivery.ended_at,
        "links": DeliveryLinks(self=path, redeliver=f"{path}/redeliver"),
    }


def _attempt_out(attempt: WebhookAttempt) -> AttemptOut:
    return AttemptOut(
        at=attempt.started_at,
        milliseconds=attempt.milliseconds,
        status=attempt.status,
        error=None if attempt.error is None else AttemptError(attempt.error),
        response=attempt.response,
    )
