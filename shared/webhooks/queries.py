"""Queries of deliveries. Each names the tenant; another tenant's delivery does not exist."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from shared.contracts.states import DeliveryState
from shared.db.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from shared.errors import NotFound

MAX_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery, where it goes, and the job that it is about, if it is about one."""

    delivery: WebhookDelivery
    url: str
    job_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A delivery with its event and its latest attempts, newest first."""

    row: DeliveryRow
    event: Event
    attempts: Sequence[WebhookAttempt]


@dataclass(frozen=True, slots=True)
class Filters:
    """A filter of deliveries; ``None`` is every one."""

    endpoint_id: uuid.UUID | None = None
    job_id: uuid.UUID | None = None
    state: DeliveryState | None = None


def list_deliveries(
    session: Session, tenant_id: uuid.UUID, filters: Filters, *, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[DeliveryRow], bool]:
    """Read a page of a tenant's deliveries, newest first, and whether there are more. ``after``: last id before it.

    An endpoint or a job of another tenant has none.
    """
    wanted = (
        select(WebhookDelivery, WebhookEndpoint.url, Event.job_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .join(Event, Event.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.tenant_id == tenant_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit + 1)
    )
    conditions = _conditions(filters, after)
    if filters.job_id is None:
        wanted = wanted.where(_newest_of_each_endpoint(tenant_id, filters, conditions, limit + 1))
    else:
        wanted = wanted.where(Event.job_id == filters.job_id, *conditions)
        if filters.endpoint_id is not None:
            wanted = wanted.where(WebhookDelivery.endpoint_id == filters.endpoint_id)
    found = [DeliveryRow(*row) for row in session.execute(wanted)]
    return found[:limit], len(found) > limit


def _conditions(filters: Filters, after: uuid.UUID | None) -> list[ColumnElement[bool]]:
    conditions = []
    if filters.state is not None:
        conditions.append(WebhookDelivery.state == filters.state)
    if after is not None:
        conditions.append(WebhookDelivery.id < after)
    return conditions


def _newest_of_each_endpoint(
    tenant_id: uuid.UUID, filters: Filters, conditions: Sequence[ColumnElement[bool]], limit: int
) -> ColumnElement[bool]:
    """Select the newest of each endpoint: the index has those by id, and the newest of a tenant are among them."""
    newest = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.endpoint_id == WebhookEndpoint.id, *conditions)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
        .correlate(WebhookEndpoint)
        .lateral("newest")
    )
    among = select(newest.c.id).select_from(WebhookEndpoint).join(newest, true())
    among = among.where(WebhookEndpoint.tenant_id == tenant_id)
    if filters.endpoint_id is not None:
        among = among.where(WebhookEndpoint.id == filters.endpoint_id)
    return WebhookDelivery.id.in_(among.order_by(newest.c.id.desc()).limit(limit))


def get_delivery(session: Session, tenant_id: uuid.UUID, delivery_id: uuid.UUID) -> DeliveryDetail:
    """Read one delivery.

    Raises:
        NotFound: this tenant has no such delivery.
    """
    found = session.execute(
        select(WebhookDelivery, WebhookEndpoint.url, Event)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .join(Event, Event.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.tenant_id == tenant_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    delivery, url, event = found
    attempts = session.scalars(
        select(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id)
        .order_by(WebhookAttempt.id.desc())
        .limit(MAX_ATTEMPTS)
    ).all()
    return DeliveryDetail(DeliveryRow(delivery, url, event.job_id), event, attempts)
