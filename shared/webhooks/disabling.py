"""The end of an endpoint that is gone or gives nothing but failures, and the event that tells the tenant's others."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.states import DisabledReason, EventType
from shared.db.models import Event
from shared.times import rfc3339
from shared.webhooks import outbox

DISABLE = text(
    "UPDATE webhook_endpoints SET enabled = false, disabled_reason = :reason, disabled_at = :now "
    "WHERE id = :id AND enabled RETURNING 1"
)


@dataclass(frozen=True, slots=True)
class Disabling:
    """The endpoint that gets nothing any more, and the reason."""

    endpoint_id: uuid.UUID
    tenant_id: uuid.UUID
    url: str
    reason: DisabledReason


def disable(session: Session, what: Disabling, now: datetime) -> bool:
    """Disable an endpoint; its pending deliveries wait. The event about it goes to the tenant's other endpoints.

    The caller holds the lock of the endpoint's row.

    Returns:
        Whether it was enabled until now.
    """
    changed = session.execute(DISABLE, {"id": what.endpoint_id, "reason": what.reason, "now": now}).one_or_none()
    if changed is None:
        return False
    event = Event(
        tenant_id=what.tenant_id,
        job_id=None,
        type=EventType.WEBHOOK_DISABLED,
        data={
            "endpoint_id": str(what.endpoint_id),
            "url": what.url,
            "reason": what.reason,
            "disabled_at": rfc3339(now),
        },
    )
    session.add(event)
    session.flush()
    subscribers = outbox.subscribers_of(
        session, what.tenant_id, EventType.WEBHOOK_DISABLED, job_endpoint_id=None, without=what.endpoint_id
    )
    outbox.add_deliveries(session, event, subscribers)
    return True
