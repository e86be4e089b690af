"""The ``webhook_url`` of a job: an endpoint that is made when the first job names its URL, and shared by the next."""

import uuid

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.contracts.states import DEFAULT_EVENTS
from shared.db.base import new_id
from shared.db.models import Job, WebhookEndpoint
from shared.errors import Conflict
from shared.webhooks.endpoints import DUE_NOW

# The ordinary case writes nothing. FOR SHARE keeps it from being removed before the job refers to it.
FIND = text(
    "SELECT id FROM webhook_endpoints WHERE tenant_id = :tenant AND url = :url AND per_job AND enabled FOR SHARE"
)
MAKE = text(
    """
    INSERT INTO webhook_endpoints (id, tenant_id, secret_id, per_job, url, events)
    SELECT :id, :tenant, id, true, :url, :events FROM signing_secrets WHERE tenant_id = :tenant AND for_jobs
    ON CONFLICT (tenant_id, url) WHERE per_job DO UPDATE
    SET enabled = true, disabled_reason = NULL, disabled_at = NULL, consecutive_failures = 0, failing_since = NULL,
        open_until = NULL
    RETURNING id
    """
)


def endpoint_for(session: Session, tenant_id: uuid.UUID, url: str | None) -> uuid.UUID | None:
    """Return the endpoint of a ``webhook_url``: made where there is none yet, enabled again where it was disabled.

    None for no URL. Call it in the transaction that makes the job. The URL was checked by ``Policy.check``.

    Raises:
        Conflict: ``job-secret-missing``: the tenant has no secret yet to sign with.
    """
    if url is None:
        return None
    found: uuid.UUID | None = session.execute(FIND, {"tenant": tenant_id, "url": url}).scalar_one_or_none()
    if found is not None:
        return found
    made: uuid.UUID | None = session.execute(
        MAKE, {"id": new_id(), "tenant": tenant_id, "url": url, "events": list(DEFAULT_EVENTS)}
    ).scalar_one_or_none()
    if made is None:
        raise Conflict(
            "there is no job secret yet to sign what goes to a webhook_url; "
            "make it first by POST /v1/webhooks/job-secret",
            code="job-secret-missing",
        )
    session.execute(DUE_NOW, {"id": made})
    return made


def url_of(session: Session, job: Job) -> str | None:
    """Read the ``webhook_url`` of a job; ``None`` when it has none or its endpoint was removed."""
    if job.webhook_endpoint_id is None:
        return None
    return session.scalars(select(WebhookEndpoint.url).where(WebhookEndpoint.id == job.webhook_endpoint_id)).one()
