"""``/v1/webhooks``: parse, authorise, one call, answer.

Of a URL the form is checked here, and an address that stands in it. No name is looked up: what it leads to is checked
by the deliverer, each time.
"""

import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from api.answers import answer, problems
from api.deps import Admin, EndpointId, IdempotencyKeyHeader, Reader, ServicesDep, Submitter
from api.idempotency import RepeatableRequest, fingerprint, once
from api.pages import DEFAULT, Limit, check_limit
from api.routing import Router
from api.webhooks.delivery_schemas import DeliveryOut, delivery_out, delivery_path
from api.webhooks.schemas import (
    ChangeEndpoint,
    CreateEndpoint,
    EndpointOut,
    EndpointPage,
    EndpointWithSecret,
    Redeliver,
    Redelivered,
    endpoint_out,
    endpoint_page,
    endpoint_with_secret,
)
from shared import audit
from shared.contracts.audit import Action
from shared.webhooks import endpoints, queries, redelivery

router = Router(prefix="/v1/webhooks", tags=["webhooks"])

# A secret stays nowhere on its way.
SECRET_HEADERS = {"Cache-Control": "no-store"}


@router.post(
    "",
    operation_id="create_webhook",
    summary="Create a webhook",
    status_code=HTTPStatus.CREATED,
    response_model=EndpointWithSecret,
    responses=problems(409, 413),
)
def create_webhook(
    body: CreateEndpoint, services: ServicesDep, caller: Admin, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Create an endpoint and return it with its secret, which no other answer shows.

    A repeated request with the same `Idempotency-Key` gets `null` for the secret, because it is not stored with the
    answer: rotate to get one.
    """
    settings = services.settings
    services.webhook_policy.check(body.url)
    new = endpoints.NewEndpoint(url=body.url, events=body.events, description=body.description)
    repeatable = RepeatableRequest(
        caller.tenant_id, idempotency_key, fingerprint("POST /v1/webhooks", body.model_dump(mode="json"))
    )
    with once(services.database, repeatable, keep_hours=settings.idempotency_key_hours) as ticket:
        if ticket.stored:
            return ticket.stored.replay()
        with services.database.begin() as session:
            row, secret = endpoints.create(session, caller.tenant_id, new, max_endpoints=settings.max_webhook_endpoints)
            out = endpoint_with_secret(row, secret)
            audit.record(session, caller.actor, Action.WEBHOOK_CREATE, out.id, tenant_id=caller.tenant_id)
            kept = out.model_dump(mode="json") | {"secret": None}
            ticket.complete(session, HTTPStatus.CREATED, kept, location=out.links.self)
    return answer(out, HTTPStatus.CREATED, {"Location": out.links.self, **SECRET_HEADERS})


@router.get(
    "", operation_id="list_webhooks", summary="List webhooks", response_model=EndpointPage, responses=problems()
)
def list_webhooks(
    services: ServicesDep,
    caller: Reader,
    after: Annotated[uuid.UUID | None, Query(description="Cursor: `after` of the page before.")] = None,
    limit: Limit = DEFAULT,
) -> Response:
    """List the endpoints of the tenant, newest first, without the `webhook_url`s of jobs."""
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        rows, has_more = endpoints.list_endpoints(session, caller.tenant_id, after=after, limit=limit)
    return answer(endpoint_page(rows, after=after, has_more=has_more))


@router.get(
    "/{endpoint_id}",
    operation_id="get_webhook",
    summary="Get a webhook",
    response_model=EndpointOut,
    responses=problems(404),
)
def get_webhook(endpoint_id: EndpointId, services: ServicesDep, caller: Reader) -> Response:
    """Return an endpoint and the state of its deliveries; its secret is not shown."""
    with services.database.begin() as session:
        row = endpoints.get(session, caller.tenant_id, endpoint_id)
    return answer(endpoint_out(row))


@router.patch(
    "/{endpoint_id}",
    operation_id="change_webhook",
    summary="Change a webhook",
    response_model=EndpointOut,
    responses=problems(404, 409, 413),
)
def change_webhook(endpoint_id: EndpointId, body: ChangeEndpoint, services: ServicesDep, caller: Admin) -> Response:
    """Change the fields that the request names.

    Pending deliveries go to the new `url`, and failures under the old one are forgotten. The `webhook_url` of a job
    cannot be changed: 409 `webhook-per-job`.
    """
    if body.url is not None:
        services.webhook_policy.check(body.url)
    with services.database.begin() as session:
        row = endpoints.change(session, caller.tenant_id, endpoint_id, body.changes())
        fields = sorted(body.model_fields_set)
        audit.record(
            session, caller.actor, Action.WEBHOOK_CHANGE, endpoint_id, tenant_id=caller.tenant_id, fields=fields
        )
    return answer(endpoint_out(row))


@router.delete(
    "/{endpoint_id}",
    operation_id="delete_webhook",
    summary="Delete a webhook",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses={204: {"description": "It is gone, with its deliveries."}, **problems(404)},
)
def delete_webhook(endpoint_id: EndpointId, services: ServicesDep, caller: Admin) -> Response:
    """Delete an endpoint with its deliveries, also the pending ones."""
    with services.database.begin() as session:
        endpoints.remove(session, caller.tenant_id, endpoint_id)
        audit.record(session, caller.actor, Action.WEBHOOK_DELETE, endpoint_id, tenant_id=caller.tenant_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{endpoint_id}/rotate",
    operation_id="rotate_webhook_secret",
    summary="Rotate the secret of a webhook",
    response_model=EndpointWithSecret,
    responses=problems(404, 409),
)
def rotate_webhook_secret(endpoint_id: EndpointId, services: ServicesDep, caller: Admin) -> Response:
    """Create a new secret; the old one signs too for 24 hours.

    Two are valid at most: another rotation within that time ends the oldest at once.
    """
    overlap = timedelta(hours=services.settings.webhook_secret_overlap_hours)
    with services.database.begin() as session:
        row, secret = endpoints.rotate(session, caller.tenant_id, endpoint_id, overlap=overlap)
        audit.record(session, caller.actor, Action.WEBHOOK_ROTATE, endpoint_id, tenant_id=caller.tenant_id)
    return answer(endpoint_with_secret(row, secret), headers=SECRET_HEADERS)


@router.post(
    "/{endpoint_id}/enable",
    operation_id="enable_webhook",
    summary="Enable a webhook",
    response_model=EndpointOut,
    responses=problems(404),
)
def enable_webhook(endpoint_id: EndpointId, services: ServicesDep, caller: Admin) -> Response:
    """Enable an endpoint: its failures are forgotten, and pending deliveries are due at once.

    Repeating it is harmless.
    """
    with services.database.begin() as session:
        row = endpoints.enable(session, caller.tenant_id, endpoint_id)
        audit.record(session, caller.actor, Action.WEBHOOK_ENABLE, endpoint_id, tenant_id=caller.tenant_id)
    return answer(endpoint_out(row))


@router.post(
    "/{endpoint_id}/disable",
    operation_id="disable_webhook",
    summary="Disable a webhook",
    response_model=EndpointOut,
    responses=problems(404),
)
def disable_webhook(endpoint_id: EndpointId, services: ServicesDep, caller: Admin) -> Response:
    """Disable an endpoint: pending deliveries wait, and no new events are kept for it.

    Repeating it is harmless.
    """
    with services.database.begin() as session:
        row = endpoints.disable(session, caller.tenant_id, endpoint_id)
        audit.record(session, caller.actor, Action.WEBHOOK_DISABLE, endpoint_id, tenant_id=caller.tenant_id)
    return answer(endpoint_out(row))


@router.post(
    "/{endpoint_id}/test",
    operation_id="test_webhook",
    summary="Send a test event",
    status_code=HTTPStatus.ACCEPTED,
    response_model=DeliveryOut,
    responses=problems(404, 409),
)
def test_webhook(endpoint_id: EndpointId, services: ServicesDep, caller: Submitter) -> Response:
    """Queue a `webhook.test`, which is delivered like every other event.

    Answers with `Location` and the delivery; 409 `webhook-disabled`.
    """
    with services.database.begin() as session:
        delivery_id = endpoints.send_test(session, caller.tenant_id, endpoint_id)
        audit.record(session, caller.actor, Action.WEBHOOK_TEST, endpoint_id, tenant_id=caller.tenant_id)
        delivery = queries.get_delivery(session, caller.tenant_id, delivery_id)
    return answer(delivery_out(delivery.row), HTTPStatus.ACCEPTED, {"Location": delivery_path(delivery_id)})


@router.post(
    "/{endpoint_id}/redeliver",
    operation_id="redeliver_to_webhook",
    summary="Redeliver the events since a moment",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Redelivered,
    responses=problems(404, 409, 413),
)
def redeliver_to_webhook(
    endpoint_id: EndpointId, body: Redeliver, services: ServicesDep, caller: Submitter
) -> Response:
    """Queue every event since `since` that the endpoint subscribes to and has not received.

    Events from while it was disabled count, `job.progress` never; with `all`, delivered ones are sent again, too.
    `since` has a time zone and is not in the future. 409 `webhook-disabled` while it is disabled. Repeating it is
    harmless.
    """
    again = redelivery.Redelivery(caller.tenant_id, endpoint_id, body.since, body.everything)
    count = redelivery.redeliver_since(services.database, again)
    with services.database.begin() as session:  # It was done page by page, in transactions of its own.
        audit.record(
            session, caller.actor, Action.WEBHOOK_REDELIVER, endpoint_id, tenant_id=caller.tenant_id, count=count
        )
    return answer(Redelivered(redelivered=count), HTTPStatus.ACCEPTED)
