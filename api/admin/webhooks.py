"""Commands about webhooks: list endpoints, enable one, send again."""

import argparse
import uuid

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from api.admin.audit import by_operator
from api.admin.command import Command
from api.admin.connect import open_database, transaction
from api.admin.table import table
from api.admin.times import moment
from shared.access.keys import tenant_named
from shared.contracts.audit import Action
from shared.contracts.states import DeliveryState
from shared.db.models import Tenant, WebhookDelivery, WebhookEndpoint
from shared.errors import InvalidRequest, NotFound
from shared.webhooks import endpoints, redelivery

HEADINGS = ("ENDPOINT", "TENANT", "STATE", "FAILURES", "PENDING", "FAILED", "LAST SUCCESS", "URL")


def show(arguments: argparse.Namespace) -> str:
    """List every endpoint, also the `webhook_url`s of jobs; those that get nothing come first.

    Raises:
        NotFound: there is no such tenant.
    """
    query = (
        select(WebhookEndpoint, Tenant.name, _count(DeliveryState.PENDING), _count(DeliveryState.FAILED))
        .join(Tenant, Tenant.id == WebhookEndpoint.tenant_id)
        .order_by(WebhookEndpoint.enabled, WebhookEndpoint.consecutive_failures.desc(), Tenant.name, WebhookEndpoint.id)
    )
    with transaction() as session:
        if arguments.tenant:
            query = query.where(WebhookEndpoint.tenant_id == tenant_named(session, arguments.tenant).id)
        rows = session.execute(query).all()
    if not rows:
        return "There are no endpoints."
    return table(HEADINGS, [_row(*row) for row in rows])


def _count(state: DeliveryState) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(WebhookDelivery.endpoint_id == WebhookEndpoint.id, WebhookDelivery.state == state)
        .scalar_subquery()
    )


def _row(endpoint: WebhookEndpoint, tenant: str, pending: int, failed: int) -> tuple[object, ...]:
    state = "enabled" if endpoint.enabled else f"disabled: {endpoint.disabled_reason}"
    success = f"{endpoint.last_success_at:%Y-%m-%d %H:%M}" if endpoint.last_success_at else "never"
    return (endpoint.id, tenant, state, endpoint.consecutive_failures, pending, failed, success, endpoint.url)


def enable(arguments: argparse.Namespace) -> str:
    """Enable an endpoint again, and make its pending deliveries due at once.

    Raises:
        NotFound: there is no such endpoint.
    """
    with transaction() as session:
        owner = _owner(session, WebhookEndpoint, arguments.endpoint)
        row = endpoints.enable(session, owner, arguments.endpoint)
        by_operator(session, Action.WEBHOOK_ENABLE, arguments.endpoint, tenant_id=owner)
        url = row.endpoint.url
    return f"The endpoint {arguments.endpoint} ({url}) is enabled; `redeliver --endpoint` sends what it missed."


def redeliver(arguments: argparse.Namespace) -> str:
    """Send one delivery again, or every event since a moment that an endpoint subscribes to and has not got.

    Raises:
        NotFound: there is no such delivery or endpoint.
        Conflict: the endpoint is disabled; enable it first.
        InvalidRequest: the moment has not come yet, or neither a delivery nor an endpoint is named.
    """
    if arguments.delivery is not None:
        return _redeliver_one(arguments.delivery)
    if arguments.endpoint is None or arguments.since is None:
        raise InvalidRequest("name a delivery, or an endpoint and a moment: --endpoint ID --since 2h")
    with open_database() as database:
        with database.begin() as session:
            tenant_id = _owner(session, WebhookEndpoint, arguments.endpoint)
        again = redelivery.Redelivery(tenant_id, arguments.endpoint, arguments.since, arguments.everything)
        count = redelivery.redeliver_since(database, again)
        with database.begin() as session:
            by_operator(session, Action.WEBHOOK_REDELIVER, arguments.endpoint, tenant_id=tenant_id, count=count)
    return f"{count} deliveries to {arguments.endpoint} are due now."


def _redeliver_one(delivery_id: uuid.UUID) -> str:
    with transaction() as session:
        owner = _owner(session, WebhookDelivery, delivery_id)
        found = redelivery.redeliver(session, owner, delivery_id)
        by_operator(session, Action.DELIVERY_REDELIVER, delivery_id, tenant_id=owner)
    return f"The delivery {delivery_id} ({found.event.type}) to {found.row.url} is due now."


def _owner(session: Session, kind: type[WebhookEndpoint | WebhookDelivery], its_id: uuid.UUID) -> uuid.UUID:
    """Return the tenant of an endpoint or a delivery."""
    found = session.scalars(select(kind.tenant_id).where(kind.id == its_id)).one_or_none()
    if found is None:
        words = {WebhookEndpoint: "endpoint", WebhookDelivery: "delivery"}
        raise NotFound(f"there is no {words[kind]} {its_id}; `list-endpoints` and `dead-letters` show their ids")
    return found


def _tenant_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", metavar="NAME", help="only those of this tenant")


def _endpoint_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("endpoint", type=uuid.UUID, help="id of the endpoint")


def _redeliver_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("delivery", type=uuid.UUID, nargs="?", help="id of one delivery")
    what.add_argument("--endpoint", type=uuid.UUID, metavar="ID", help="every event that this endpoint subscribes to")
    parser.add_argument("--since", type=moment, metavar="2h", help="2026-11-26T07:00:00Z, or 2h for two hours ago")
    parser.add_argument("--everything", action="store_true", help="also what it has received already")


COMMANDS = (
    Command("list-endpoints", "list webhook endpoints, those that get nothing first", show, _tenant_argument),
    Command("enable-endpoint", "let a webhook endpoint get events again", enable, _endpoint_argument),
    Command("redeliver", "send webhooks again", redeliver, _redeliver_arguments),
)
