"""Webhooks on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from api.fields import Moment, RequestBody
from api.links import link
from shared.contracts.states import DEFAULT_EVENTS, SUBSCRIBABLE_EVENTS, DisabledReason, EventType
from shared.contracts.stored import Text
from shared.contracts.webhook_url import WebhookUrl
from shared.webhooks.endpoints import EndpointRow
from shared.webhooks.secrets import JobSecret

ID = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105  # an example of one
EXAMPLE: dict[str, Any] = {
    "id": ID,
    "url": "https://farm.example.org/hooks",
    "description": "The farm's own system",
    "events": ["job.completed", "job.completed_with_errors", "job.failed"],
    "enabled": True,
    "disabled": None,
    "consecutive_failures": 0,
    "failing_since": None,
    "paused_until": None,
    "last_success_at": "2026-06-01T08:09:13Z",
    "per_job": False,
    "created_at": "2026-06-01T08:00:00Z",
    "previous_secret_until": None,
    "links": {"self": f"/v1/webhooks/{ID}", "deliveries": f"/v1/deliveries?endpoint={ID}"},
}
JOB_SECRET_EXAMPLE: dict[str, Any] = {
    "created_at": "2026-06-01T08:00:00Z",
    "rotated_at": None,
    "previous_secret_until": None,
}


def _check_subscribable(events: list[EventType]) -> list[EventType]:
    for event in events:
        if event not in SUBSCRIBABLE_EVENTS:
            msg = f"{event} cannot be asked for; it comes by itself"
            raise ValueError(msg)
    if len(set(events)) < len(events):
        msg = "must name each event once"
        raise ValueError(msg)
    return events


Events = Annotated[
    list[EventType],
    Field(min_length=1),
    AfterValidator(_check_subscribable),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": [event.value for event in SUBSCRIBABLE_EVENTS]},
            "minItems": 1,
            "uniqueItems": True,
        }
    ),
]


class CreateEndpoint(RequestBody):
    """A new webhook."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": "https://farm.example.org/hooks"},
                {
                    "url": "https://farm.example.org/hooks",
                    "events": ["job.completed", "job.completed_with_errors", "job.failed"],
                    "description": "The farm's own system",
                },
            ]
        }
    )

    url: WebhookUrl
    events: Events = Field(default=list(DEFAULT_EVENTS), description="Without it: all but `job.progress`.")
    description: Text | None = None


class ChangeEndpoint(RequestBody):
    """The fields to change; those left out stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": ["job.completed"]}, {"description": None}]})

    url: WebhookUrl | SkipJsonSchema[None] = None
    events: Events | SkipJsonSchema[None] = None
    description: Text | None = None

    @field_validator("url", "events", mode="before")
    @classmethod
    def _is_never_null(cls, value: object) -> object:
        if value is None:
            msg = "must not be null; leave it out to keep it"
            raise ValueError(msg)
        return value

    def changes(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return self.model_dump(include=self.model_fields_set)


class Redeliver(RequestBody):
    """The moment from which on events are sent again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-06-01T08:00:00Z"}]})

    since: Moment = Field(description="With its time zone, and not in the future.")
    everything: StrictBool = Field(default=False, alias="all", description="Send delivered events again, too.")


class Redelivered(BaseModel):
    """The number of deliveries that are due now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"redelivered": 17}]})

    redelivered: int


class DisabledOut(BaseModel):
    """The reason why the webhook gets nothing, and since when."""

    reason: DisabledReason
    at: datetime


class EndpointLinks(BaseModel):
    """Paths on this server."""

    self: str
    deliveries: str


class EndpointOut(BaseModel):
    """A webhook."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: uuid.UUID
    url: str
    description: str | None
    events: list[EventType]
    enabled: bool
    disabled: DisabledOut | None
    consecutive_failures: int
    failing_since: datetime | None = Field(description="The first failure after the last success.")
    paused_until: datetime | None = Field(description="It failed too often in a row and is left alone until then.")
    last_success_at: datetime | None
    per_job: bool = Field(description="It is the `webhook_url` of jobs.")
    created_at: datetime
    previous_secret_until: datetime | None = Field(description="Until then the secret before signs too.")
    links: EndpointLinks


class EndpointWithSecret(EndpointOut):
    """A webhook and the secret that was just made for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"secret": SECRET}]})

    secret: str | None = Field(description="Shown this once; `null` when the answer is a repeated one.")


class EndpointPage(BaseModel):
    """A page of webhooks, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"webhooks": [EXAMPLE], "after": ID, "has_more": False}]})

    webhooks: list[EndpointOut]
    after: str | None = Field(description="Cursor for the next page; `null` when there is nothing.")
    has_more: bool


class _JobSecretTimes(BaseModel):
    created_at: datetime | None
    rotated_at: datetime | None
    previous_secret_until: datetime | None = Field(description="Until then the secret before signs too.")


class JobSecretOut(_JobSecretTimes):
    """The state of the secret for the `webhook_url`s of jobs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"exists": True} | JOB_SECRET_EXAMPLE]})

    exists: bool


class NewJobSecret(_JobSecretTimes):
    """The secret that was just made for the `webhook_url`s of jobs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"secret": SECRET} | JOB_SECRET_EXAMPLE]})

    secret: str = Field(description="Shown this once.")


def endpoint_path(endpoint_id: uuid.UUID) -> str:
    """Return the path of a webhook on this server."""
    return link(f"/v1/webhooks/{endpoint_id}")


def endpoint_out(row: EndpointRow) -> EndpointOut:
    """Return a webhook as clients see it."""
    return EndpointOut(**_fields(row))


def endpoint_with_secret(row: EndpointRow, secret: str) -> EndpointWithSecret:
    """Return a webhook with its new secret."""
    return EndpointWithSecret(**_fields(row), secret=secret)


def _fields(row: EndpointRow) -> dict[str, Any]:
    endpoint = row.endpoint
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "enabled": endpoint.enabled,
        "disabled": _disabled(endpoint.disabled_reason, endpoint.disabled_at),
        "consecutive_failures": endpoint.consecutive_failures,
        "failing_since": endpoint.failing_since,
        "paused_until": row.paused_until,
        "last_success_at": endpoint.last_success_at,
        "per_job": endpoint.per_job,
        "created_at": endpoint.created_at,
        "previous_secret_until": row.previous_secret_until,
        "links": EndpointLinks(
            self=endpoint_path(endpoint.id), deliveries=link(f"/v1/deliveries?endpoint={endpoint.id}")
        ),
    }


def _disabled(reason: str | None, at: datetime | None) -> DisabledOut | None:
    return None if reason is None or at is None else DisabledOut(reason=DisabledReason(reason), at=at)


def endpoint_page(rows: Sequence[EndpointRow], *, after: uuid.UUID | None, has_more: bool) -> EndpointPage:
    """Make a page; an empty one returns the caller's own cursor."""
    last = rows[-1].endpoint.id if rows else after
    return EndpointPage(
        webhooks=[endpoint_out(row) for row in rows], after=None if last is None else str(last), has_more=has_more
    )


def job_secret_out(secret: JobSecret | None) -> JobSecretOut:
    """Return the state of the job secret as clients see it."""
    return JobSecretOut(exists=secret is not None, **_times(secret))


def new_job_secret(secret: str, state: JobSecret) -> NewJobSecret:
    """Return the job secret with its text."""
    return NewJobSecret(secret=secret, **_times(state))


def _times(secret: JobSecret | None) -> dict[str, datetime | None]:
    return {
        "created_at": None if secret is None else secret.created_at,
        "rotated_at": None if secret is None else secret.rotated_at,
        "previous_secret_until": None if secret is None else secret.previous_until,
    }
