"""Endpoints: to make, read, change and remove them. Another tenant's endpoint does not exist.

Whoever changes an endpoint locks its row first, ``FOR NO KEY UPDATE``: that lets the outbox go on, which refers to the
row while it holds the lock of a job. Then come its secret and its deliveries, in this order everywhere.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, case, delete, func, select, text
from sqlalchemy.orm import Session

from shared.contracts.states import DEFAULT_EVENTS, DisabledReason, EventType
from shared.db.models import Event, SigningSecret, WebhookDelivery, WebhookEndpoint
from shared.db.session import changed
from shared.errors import Conflict, LimitExceeded, NotFound
from shared.webhooks import outbox, secrets

LOCK_TENANT = text("SELECT 1 FROM tenants WHERE id = :tenant FOR NO KEY UPDATE")
COUNT = text("SELECT count(*) FROM webhook_endpoints WHERE tenant_id = :tenant AND NOT per_job")
# A breaker that knows nothing. Another URL or a person who says "it is mended" makes the old failures meaningless.
FRESH = "consecutive_failures = 0, failing_since = NULL, open_until = NULL"
FORGET_FAILURES = text(f"UPDATE webhook_endpoints SET {FRESH} WHERE id = :id")  # noqa: S608  # text of our own
ENABLE = text(
    f"UPDATE webhook_endpoints SET enabled = true, disabled_reason = NULL, disabled_at = NULL, {FRESH} "  # noqa: S608  # as above
    "WHERE id = :id"
)
DISABLE = text(
    "UPDATE webhook_endpoints SET enabled = false, disabled_reason = :reason, disabled_at = now() "
    "WHERE id = :id AND enabled"
)
DUE_NOW = text(
    "UPDATE webhook_deliveries SET next_attempt_at = now() "
    "WHERE endpoint_id = :id AND state = 'pending' AND next_attempt_at > now()"
)
# Without this the cascade would lock the jobs after the endpoint's row is gone, while they may hold their own lock and
# wait for that row. The revision goes up because clients see the URL go.
LET_JOBS_GO = text(
    """
    WITH its AS (SELECT id FROM jobs WHERE webhook_endpoint_id = :id ORDER BY id FOR NO KEY UPDATE)
    UPDATE jobs SET webhook_endpoint_id = NULL, revision = revision + 1 WHERE id IN (SELECT id FROM its) RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint as a client describes it. The URL was checked by ``Policy.check``."""

    url: str
    events: Sequence[EventType] = DEFAULT_EVENTS
    description: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint as it stands now, by the clock of the database.

    ``paused_until`` while its breaker is open; ``previous_secret_until`` while the secret before signs too.
    """

    endpoint: WebhookEndpoint
    paused_until: datetime | None
    previous_secret_until: datetime | None


def _rows(tenant_id: uuid.UUID) -> Select[WebhookEndpoint, datetime | None, datetime | None]:
    return (
        select(
            WebhookEndpoint,
            case((WebhookEndpoint.open_until > func.now(), WebhookEndpoint.open_until)),
            case((SigningSecret.previous_until > func.now(), SigningSecret.previous_until)),
        )
        .join(SigningSecret, SigningSecret.id == WebhookEndpoint.secret_id)
        .where(WebhookEndpoint.tenant_id == tenant_id)
    )


def create(session: Session, tenant_id: uuid.UUID, new: NewEndpoint, *, max_endpoints: int) -> tuple[EndpointRow, str]:
    """Create an endpoint and its secret. The tenant's row is locked, so that two at once do not pass the limit.

    Raises:
        LimitExceeded: the tenant has ``max_endpoints`` endpoints already; those of ``webhook_url``s do not count.
    """
    session.execute(LOCK_TENANT, {"tenant": tenant_id})
    if session.execute(COUNT, {"tenant": tenant_id}).scalar_one() >= max_endpoints:
        raise LimitExceeded(
            f"a tenant has at most {max_endpoints} webhook endpoints; remove one first",
            setting="PHYTOBATCH_MAX_WEBHOOK_ENDPOINTS",
        )
    secret_id, secret = secrets.add(session, tenant_id)
    endpoint = WebhookEndpoint(
        tenant_id=tenant_id,
        secret_id=secret_id,
        url=new.url,
        events=list(new.events),
        description=new.description,
    )
    session.add(endpoint)
    session.flush()
    return get(session, tenant_id, endpoint.id), secret


def get(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> EndpointRow:
    """Read one endpoint, also one that was made for a ``webhook_url``.

    Raises:
        NotFound: this tenant has no such endpoint.
    """
    row = session.execute(
        _rows(tenant_id).where(WebhookEndpoint.id == endpoint_id).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise _unknown(endpoint_id)
    return EndpointRow(*row)


def list_endpoints(
    session: Session, tenant_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[EndpointRow], bool]:
    """Read a page of the endpoints that the tenant made, newest first, and whether there are more."""
    wanted = _rows(tenant_id).where(~WebhookEndpoint.per_job).order_by(WebhookEndpoint.id.desc())
    if after is not None:
        wanted = wanted.where(WebhookEndpoint.id < after)
    found = [EndpointRow(*row) for row in session.execute(wanted.limit(limit + 1))]
    return found[:limit], len(found) > limit


def change(
    session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID, changes: Mapping[str, object]
) -> EndpointRow:
    """Change some of ``url``, ``events`` and ``description``. Under another URL the endpoint's failures are forgotten.

    What is pending goes to the new URL from now on.

    Raises:
        NotFound: this tenant has no such endpoint.
        Conflict: it is the ``webhook_url`` of jobs.
    """
    endpoint = _lock_own_made(session, tenant_id, endpoint_id)
    moved = changes.get("url", endpoint.url) != endpoint.url
    for name, value in changes.items():
        setattr(endpoint, name, value)
    session.flush()
    if moved:
        session.execute(FORGET_FAILURES, {"id": endpoint_id})
    return get(session, tenant_id, endpoint_id)


def rotate(
    session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID, *, overlap: timedelta
) -> tuple[EndpointRow, str]:
    """Give an endpoint a new secret; the old one signs too until ``overlap`` is over.

    Raises:
        NotFound: this tenant has no such endpoint.
        Conflict: it is the ``webhook_url`` of jobs, which share the job secret.
    """
    endpoint = _lock_own_made(session, tenant_id, endpoint_id)
    secret = secrets.rotate(session, endpoint.secret_id, overlap=overlap)
    return get(session, tenant_id, endpoint_id), secret


def enable(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> EndpointRow:
    """Enable an endpoint: its failures are forgotten, and what waits for it is due at once.

    Raises:
        NotFound: this tenant has no such endpoint.
    """
    lock(session, tenant_id, endpoint_id)
    session.execute(ENABLE, {"id": endpoint_id})
    session.execute(DUE_NOW, {"id": endpoint_id})
    return get(session, tenant_id, endpoint_id)


def disable(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> EndpointRow:
    """Disable an endpoint. One that is disabled already keeps its reason and its moment.

    Raises:
        NotFound: this tenant has no such endpoint.
    """
    lock(session, tenant_id, endpoint_id)
    session.execute(DISABLE, {"id": endpoint_id, "reason": DisabledReason.BY_REQUEST})
    return get(session, tenant_id, endpoint_id)


def remove(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> None:
    """Remove an endpoint with its deliveries and its secret; the job secret stays.

    Raises:
        NotFound: this tenant has no such endpoint.
    """
    endpoint = lock(session, tenant_id, endpoint_id)
    for job_id in session.scalars(LET_JOBS_GO, {"id": endpoint_id}):
        changed(session, job_id)
    session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))
    session.execute(delete(SigningSecret).where(SigningSecret.id == endpoint.secret_id, ~SigningSecret.for_jobs))


def send_test(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> uuid.UUID:
    """Add a ``webhook.test`` for one endpoint, due now; return the id of its delivery.

    Raises:
        NotFound: this tenant has no such endpoint.
        Conflict: it is disabled.
    """
    lock_enabled(session, tenant_id, endpoint_id)
    event = Event(tenant_id=tenant_id, type=EventType.WEBHOOK_TEST, data={"endpoint_id": str(endpoint_id)})
    session.add(event)
    session.flush()
    outbox.add_deliveries(session, event, [endpoint_id])
    return session.scalars(select(WebhookDelivery.id).where(WebhookDelivery.event_id == event.id)).one()


def lock(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """Lock an endpoint of this tenant until the end of the transaction, and read it as it stands now.

    Raises:
        NotFound: this tenant has no such endpoint.
    """
    endpoint = session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.tenant_id == tenant_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if endpoint is None:
        raise _unknown(endpoint_id)
    return endpoint


def lock_enabled(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """Lock an endpoint that something is to be sent to, as ``lock`` does.

    Raises:
        NotFound: this tenant has no such endpoint.
        Conflict: it is disabled.
    """
    endpoint = lock(session, tenant_id, endpoint_id)
    if not endpoint.enabled:
        raise Conflict(f"the webhook {endpoint_id} is disabled; enable it first", code="webhook-disabled")
    return endpoint


def _lock_own_made(session: Session, tenant_id: uuid.UUID, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    endpoint = lock(session, tenant_id, endpoint_id)
    if endpoint.per_job:
        raise Conflict(
            "this is the webhook_url of jobs: its URL, its events and its secret are theirs; "
            "create a webhook of your own, or renew the job secret",
            code="webhook-per-job",
        )
    return endpoint


def _unknown(endpoint_id: uuid.UUID) -> NotFound:
    return NotFound(f"there is no webhook {endpoint_id}")
