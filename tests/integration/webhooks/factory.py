"""What happens to a tenant, for the tests of deliveries: endpoints, events, a deliverer, a clock that can be moved."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from shared.contracts.states import DEFAULT_EVENTS, EventType
from shared.db.models import Event, SigningSecret, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from shared.db.session import Database
from shared.settings import Settings
from shared.webhooks import outbox
from shared.webhooks.clock import Clock
from shared.webhooks.signing import new_secret
from shared.webhooks.urls import Policy
from tests.integration.conftest import insert_tenant
from tests.patience import PATIENCE_SECONDS
from worker.webhooks.deliverer import Deliverer
from worker.webhooks.ledger import Ledger
from worker.webhooks.sender import Sender


@dataclass
class MovableClock:
    """The database's clock, and as much more as the test wants."""

    ahead: timedelta = timedelta(0)

    def now(self, session: Session) -> datetime:
        moment: datetime = session.execute(select(func.now())).scalar_one()
        return moment + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Outbox:
    """One tenant: its endpoints, and the events that go to them."""

    database: Database
    tenant_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def of(cls, database: Database) -> "Outbox":
        return cls(database, insert_tenant(database))

    def endpoint(self, url: str, *, events: list[EventType] | None = None, **columns: Any) -> uuid.UUID:  # noqa: ANN401  # of WebhookEndpoint
        with self.database.begin() as session:
            secret = SigningSecret(tenant_id=self.tenant_id, secret=new_secret())
            session.add(secret)
            session.flush()
            endpoint = WebhookEndpoint(
                tenant_id=self.tenant_id,
                secret_id=secret.id,
                url=url,
                events=list(events or DEFAULT_EVENTS),
                **columns,
            )
            session.add(endpoint)
            session.flush()
            return endpoint.id

    def event(self, *endpoint_ids: uuid.UUID, type_: EventType = EventType.JOB_COMPLETED, number: int = 0) -> uuid.UUID:
        """Something happens, and goes to these endpoints. Returns the id of the event."""
        with self.database.begin() as session:
            event = Event(tenant_id=self.tenant_id, type=type_, data={"number": number, "name": "Nordfeld, Reihe 3 ü"})
            session.add(event)
            session.flush()
            outbox.add_deliveries(session, event, list(endpoint_ids))
            return event.id

    def delivery(self, event_id: uuid.UUID, endpoint_id: uuid.UUID | None = None) -> WebhookDelivery:
        with self.database.begin() as session:
            wanted = select(WebhookDelivery).where(WebhookDelivery.event_id == event_id)
            if endpoint_id is not None:
                wanted = wanted.where(WebhookDelivery.endpoint_id == endpoint_id)
            return session.scalars(wanted).one()

    def deliveries(self, endpoint_id: uuid.UUID) -> list[WebhookDelivery]:
        with self.database.begin() as session:
            wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
            return list(session.scalars(wanted.order_by(WebhookDelivery.id)))

    def attempts(self, event_id: uuid.UUID) -> list[WebhookAttempt]:
        with self.database.begin() as session:
            wanted = (
                select(WebhookAttempt)
                .join(WebhookDelivery, WebhookDelivery.id == WebhookAttempt.delivery_id)
                .where(WebhookDelivery.event_id == event_id)
            )
            return list(session.scalars(wanted.order_by(WebhookAttempt.id)))

    def endpoint_row(self, endpoint_id: uuid.UUID) -> WebhookEndpoint:
        with self.database.begin() as session:
            return session.get_one(WebhookEndpoint, endpoint_id)

    def change(self, endpoint_id: uuid.UUID, **columns: Any) -> None:  # noqa: ANN401  # of WebhookEndpoint
        with self.database.begin() as session:
            session.execute(update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(**columns))

    def secret(self, endpoint_id: uuid.UUID) -> str:
        with self.database.begin() as session:
            return session.get_one(SigningSecret, session.get_one(WebhookEndpoint, endpoint_id).secret_id).secret

    def rotate(self, endpoint_id: uuid.UUID, *, hours: float) -> str:
        """A new secret; the old one is valid for so long."""
        secret = new_secret()
        with self.database.begin() as session:
            session.execute(
                text(
                    "UPDATE signing_secrets SET previous = secret, secret = :secret, previous_until = now() + :valid, "
                    "rotated_at = now() WHERE id = (SELECT secret_id FROM webhook_endpoints WHERE id = :id)"
                ),
                {"secret": secret, "valid": timedelta(hours=hours), "id": endpoint_id},
            )
        return secret


@contextmanager
def delivering(
    settings: Settings, database: Database, clock: Clock, *, slots: int | None = None
) -> Iterator[Deliverer]:
    """A deliverer at work in a thread, with a real sender; it looks very often."""
    loop = asyncio.new_event_loop()
    made: list[Deliverer] = []
    ready = threading.Event()

    async def work() -> None:
        sender = Sender(Policy.of(settings), timeout_seconds=settings.webhook_timeout_seconds)
        deliverer = Deliverer(
            Ledger(settings, database, clock),
            sender,
            slots=slots or settings.webhook_in_flight,
            public_url=settings.public_url,
            shutdown_seconds=settings.shutdown_seconds,
            idle_seconds=0.02,
        )
        made.append(deliverer)
        ready.set()
        try:
            await deliverer.run()
        finally:
            await sender.close()

    def run() -> None:
        try:
            loop.run_until_complete(work())
        finally:
            ready.set()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run, name="deliverer")
    thread.start()
    ready.wait(PATIENCE_SECONDS)
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(made[0].stop)
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "the deliverer did not stop"
