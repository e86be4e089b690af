"""The outbox: deliveries are inserted in the transaction that writes their event, so none can be forgotten."""

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import EventType
from shared.db.base import new_id
from shared.db.models import Event

# The tenant's endpoints that asked for this kind of event, and the address of the job itself.
WANTED = text(
    """
    SELECT id FROM webhook_endpoints
    WHERE tenant_id = :tenant AND NOT per_job AND enabled AND :type = ANY(events)
      AND id IS DISTINCT FROM CAST(:without AS uuid)
    UNION ALL
    SELECT id FROM webhook_endpoints WHERE id = :job_endpoint AND enabled AND :type = ANY(events)
    """
)
INSERT = text(
    """
    INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, event_id, event_type)
    VALUES (:id, :tenant, :endpoint, :event, :type)
    """
)


def subscribers_of(
    session: Session,
    tenant_id: uuid.UUID,
    event_type: EventType,
    *,
    job_endpoint_id: uuid.UUID | None,
    without: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """Select the enabled endpoints that get an event of this type.

    Args:
        session: a transaction.
        tenant_id: whose endpoints.
        event_type: what happened.
        job_endpoint_id: the endpoint of the job's own ``webhook_url``, if it has one.
        without: an endpoint that is not to be told: the one that the event is about.
    """
    found = session.scalars(
        WANTED, {"tenant": tenant_id, "type": event_type, "job_endpoint": job_endpoint_id, "without": without}
    )
    return list(found)


def add_deliveries(session: Session, event: Event, endpoint_ids: list[uuid.UUID]) -> None:
    """Add a delivery of the event, due now, to each of the endpoints. The event must be flushed."""
    if endpoint_ids:
        session.execute(
            INSERT,
            [
                {
                    "id": new_id(),
                    "tenant": event.tenant_id,
                    "endpoint": endpoint_id,
                    "event": event.id,
                    "type": event.type,
                }
                for endpoint_id in endpoint_ids
            ],
        )
