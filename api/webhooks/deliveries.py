"""``/v1/deliveries``: what is under way to webhooks, what arrived, and every attempt."""

import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.answers import answer, problems
from api.deps import DeliveryId, Reader, ServicesDep, Submitter
from api.pages import DEFAULT, Limit, check_limit
from api.routing import Router
from api.webhooks.delivery_schemas import (
    DeliveryOut,
    DeliveryPage,
    DeliveryWithAttempts,
    delivery_out,
    delivery_page,
    delivery_path,
    delivery_with_attempts,
)
from shared import audit
from shared.contracts.audit import Action
from shared.contracts.states import DeliveryState
from shared.webhooks import queries, redelivery

router = Router(prefix="/v1/deliveries", tags=["deliveries"])


@router.get(
    "", operation_id="list_deliveries", summary="List deliveries", response_model=DeliveryPage, responses=problems()
)
def list_deliveries(
    services: ServicesDep,
    caller: Reader,
    endpoint: Annotated[uuid.UUID | None, Query(description="Only those to this webhook.")] = None,
    job: Annotated[uuid.UUID | None, Query(description="Only those about this job.")] = None,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
    after: Annotated[uuid.UUID | None, Query(description="Cursor: `after` of the page before.")] = None,
    limit: Limit = DEFAULT,
) -> Response:
    """List the deliveries of the tenant, newest first, also those to the `webhook_url`s of jobs."""
    check_limit(limit, services.settings)
    filters = queries.Filters(endpoint_id=endpoint, job_id=job, state=state)
    with services.database.begin() as session:
        rows, has_more = queries.list_deliveries(session, caller.tenant_id, filters, after=after, limit=limit)
    return answer(delivery_page(rows, after=after, has_more=has_more))


@router.get(
    "/{delivery_id}",
    operation_id="get_delivery",
    summary="Get a delivery",
    response_model=DeliveryWithAttempts,
    responses=problems(404),
)
def get_delivery(delivery_id: DeliveryId, services: ServicesDep, caller: Reader) -> Response:
    """Return a delivery with its body and the last 100 attempts."""
    with services.database.begin() as session:
        delivery = queries.get_delivery(session, caller.tenant_id, delivery_id)
    return answer(delivery_with_attempts(delivery, public_url=services.settings.public_url))


@router.post(
    "/{delivery_id}/redeliver",
    operation_id="redeliver",
    summary="Redeliver one delivery",
    status_code=HTTPStatus.ACCEPTED,
    response_model=DeliveryOut,
    responses=problems(404, 409),
)
def redeliver(delivery_id: DeliveryId, services: ServicesDep, caller: Submitter) -> Response:
    """Make a delivery due now and restart its schedule, whatever became of it.

    Answers with `Location` and the delivery; 409 `webhook-disabled`.
    """
    with services.database.begin() as session:
        delivery = redelivery.redeliver(session, caller.tenant_id, delivery_id)
        audit.record(session, caller.actor, Action.DELIVERY_REDELIVER, delivery_id, tenant_id=caller.tenant_id)
    return answer(delivery_out(delivery.row), HTTPStatus.ACCEPTED, {"Location": delivery_path(delivery_id)})
