"""A tenant that works with webhooks over HTTP; what a deliverer would leave behind is written by SQL."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from shared.contracts.states import DeliveryState
from shared.db.session import Database
from tests.integration.conftest import Api

URL = "https://farm.example.org/hooks"
LONG_AGO = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Hooks:
    """The API as a caller with the scope `admin`, and the database behind it."""

    api: Api
    tenant_id: uuid.UUID
    database: Database

    def make(self, **body: object) -> dict[str, Any]:
        """A new webhook, with its secret."""
        answer = self.api.post("/v1/webhooks", {"url": URL, **body})
        assert answer.status == 201, answer.data
        return dict(answer.json())

    def get(self, endpoint_id: str) -> dict[str, Any]:
        answer = self.api.get(f"/v1/webhooks/{endpoint_id}")
        assert answer.status == 200, answer.data
        return dict(answer.json())

    def call(self, endpoint_id: str, verb: str, status: int = 200) -> dict[str, Any]:
        """``POST /v1/webhooks/{id}/{verb}``."""
        answer = self.api.post(f"/v1/webhooks/{endpoint_id}/{verb}")
        assert answer.status == status, answer.data
        return dict(answer.json())

    def canceled_job(self, **body: object) -> str:
        """A job that was canceled as a draft: one event, `job.canceled`."""
        job_id = self.api.new_job(**body)
        assert self.api.post(f"/v1/jobs/{job_id}/cancel").status == 200
        return job_id

    def deliveries(self, query: str = "") -> list[dict[str, Any]]:
        """The newest first."""
        answer = self.api.get(f"/v1/deliveries{query}")
        assert answer.status == 200, answer.data
        return list(answer.json()["deliveries"])

    def job_secret(self) -> str:
        """Make or rotate it."""
        answer = self.api.post("/v1/webhooks/job-secret")
        assert answer.status == 200, answer.data
        return str(answer.json()["secret"])

    def redeliver_since(self, endpoint_id: str, **body: object) -> int:
        answer = self.api.post(f"/v1/webhooks/{endpoint_id}/redeliver", {"since": LONG_AGO, **body})
        assert answer.status == 202, answer.data
        return int(answer.json()["redelivered"])

    def sql(self, statement: str, **values: object) -> list[Any]:
        """Rows of a query."""
        with self.database.begin() as session:
            return list(session.execute(text(statement), values).all())

    def write(self, statement: str, **values: object) -> None:
        """Write as another program would."""
        with self.database.begin() as session:
            session.execute(text(statement), values)

    def end(self, delivery_id: str, state: DeliveryState) -> None:
        """Write the end of a delivery, as a deliverer does."""
        self.write(
            "UPDATE webhook_deliveries SET state = :state, step = 3, attempts = 3, ended_at = now(), last_status = 503 "
            "WHERE id = :id",
            id=delivery_id,
            state=state,
        )

    def postpone(self, delivery_id: str) -> None:
        """Write a failure, as a deliverer does: the next attempt is in an hour."""
        self.write(
            "UPDATE webhook_deliveries SET step = 2, attempts = 2, next_attempt_at = now() + interval '1 hour' "
            "WHERE id = :id",
            id=delivery_id,
        )

    def is_due(self, delivery_id: str) -> bool:
        """Pending, at the first step of its schedule or where it was, and not later than now."""
        ((state, due),) = self.sql(
            "SELECT state, next_attempt_at <= now() FROM webhook_deliveries WHERE id = :id", id=delivery_id
        )
        return bool(state == DeliveryState.PENDING and due)
