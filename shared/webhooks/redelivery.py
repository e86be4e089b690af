"""Redelivery of one delivery, or of everything that an endpoint wants and has not got since a moment."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import EventType
from shared.db.base import new_id
from shared.db.models import WebhookEndpoint
from shared.db.session import Database
from shared.errors import InvalidRequest
from shared.webhooks.endpoints import lock_enabled
from shared.webhooks.queries import DeliveryDetail, get_delivery

# Events in one transaction.
BATCH = 2000
# A progress that is over interests nobody, and a test is for the one who asked.
NEVER_AGAIN = frozenset({EventType.JOB_PROGRESS, EventType.WEBHOOK_TEST})

# A live lease is left alone: its attempt ends as it ends, and the delivery goes on from there.
AGAIN = "state = 'pending', step = 0, next_attempt_at = now(), ended_at = NULL"
REDELIVER_ONE = text(f"UPDATE webhook_deliveries SET {AGAIN} WHERE id = :id")  # noqa: S608  # text of our own
IN_THE_FUTURE = text("SELECT :since > now()")
# KEY SHARE keeps the events while deliveries refer to them; those that are being removed are passed over, so that this
# and a removal never wait for each other. The endpoint of a `webhook_url` gets the events of its own jobs alone.
WANTED = text(
    """
    SELECT id, type, created_at FROM events
    WHERE tenant_id = :tenant AND created_at >= :since AND type = ANY(:types)
      AND (CAST(:after AS uuid) IS NULL OR (created_at, id) > (:since, CAST(:after AS uuid)))
      AND (NOT :per_job OR job_id IN (SELECT id FROM jobs WHERE webhook_endpoint_id = :endpoint))
      AND (type <> :disabled OR data->>'endpoint_id' <> CAST(:endpoint AS text))
    ORDER BY created_at, id LIMIT :limit FOR KEY SHARE SKIP LOCKED
    """
)
SEND = text(
    f"""
    INSERT INTO webhook_deliveries AS d (id, tenant_id, endpoint_id, event_id, event_type)
    SELECT w.id, :tenant, :endpoint, w.event_id, w.event_type
    FROM unnest(CAST(:ids AS uuid[]), CAST(:events AS uuid[]), CAST(:types AS text[])) AS w(id, event_id, event_type)
    ORDER BY w.event_id
    ON CONFLICT (event_id, endpoint_id) DO UPDATE SET {AGAIN} WHERE d.state <> 'delivered' OR :all
    RETURNING 1
    """  # noqa: S608  # text of our own
)


def redeliver(session: Session, tenant_id: uuid.UUID, delivery_id: uuid.UUID) -> DeliveryDetail:
    """Make one delivery due now, whatever became of it; its schedule begins again.

    An attempt that is under way at this moment counts: when it arrives, nothing more is sent.

    Raises:
        NotFound: this tenant has no such delivery.
        Conflict: its endpoint is disabled.
    """
    found = get_delivery(session, tenant_id, delivery_id)
    lock_enabled(session, tenant_id, found.row.delivery.endpoint_id)
    session.execute(REDELIVER_ONE, {"id": delivery_id})
    return get_delivery(session, tenant_id, delivery_id)


@dataclass(frozen=True, slots=True)
class Redelivery:
    """The events that an endpoint gets again: all since a moment that it wants; ``everything``: also what it got."""

    tenant_id: uuid.UUID
    endpoint_id: uuid.UUID
    since: datetime
    everything: bool = False


def redeliver_since(database: Database, again: Redelivery, *, batch: int = BATCH) -> int:
    """Make every such delivery due now, and add those that were never made; return how many.

    In transactions of ``batch`` events each. When one fails, those before it stand, and the same call again is
    harmless.

    Raises:
        NotFound: this tenant has no such endpoint.
        Conflict: it is disabled.
        InvalidRequest: ``since`` is in the future.
    """
    with database.begin() as session:
        if session.execute(IN_THE_FUTURE, {"since": again.since}).scalar_one():
            raise InvalidRequest("since: this moment has not come yet; name one in the past")
    total, since, after = 0, again.since, None
    while True:
        with database.begin() as session:
            events = _wanted(session, again, since, after, batch)
            if events:
                total += _send(session, again, events)
        if len(events) < batch:
            return total
        since, after = events[-1].created_at, events[-1].id


@dataclass(frozen=True, slots=True)
class _Wanted:
    id: uuid.UUID
    type: str
    created_at: datetime


def _wanted(session: Session, again: Redelivery, since: datetime, after: uuid.UUID | None, limit: int) -> list[_Wanted]:
    endpoint = lock_enabled(session, again.tenant_id, again.endpoint_id)
    rows = session.execute(
        WANTED,
        {
            "tenant": again.tenant_id,
            "endpoint": again.endpoint_id,
            "since": since,
            "after": after,
            "types": _types(endpoint),
            "per_job": endpoint.per_job,
            "disabled": EventType.WEBHOOK_DISABLED,
            "limit": limit,
        },
    )
    return [_Wanted(*row) for row in rows]


def _types(endpoint: WebhookEndpoint) -> list[str]:
    return [event for event in endpoint.events if event not in NEVER_AGAIN]


def _send(session: Session, again: Redelivery, events: list[_Wanted]) -> int:
    sent = session.execute(
        SEND,
        {
            "tenant": again.tenant_id,
            "endpoint": again.endpoint_id,
            "ids": [new_id() for _ in events],
            "events": [event.id for event in events],
            "types": [event.type for event in events],
            "all": again.everything,
        },
    )
    return len(sent.all())
