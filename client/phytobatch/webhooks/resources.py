"""Webhook endpoints and deliveries, as frozen dataclasses. ``raw`` keeps the answer as it came, secrets excepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phytobatch.moments import parse_moment
from phytobatch.resources import JsonObject, Page


def _time(data: Mapping[str, object], name: str) -> datetime | None:
    value = data.get(name)
    return None if value is None else parse_moment(str(value))


@dataclass(frozen=True)
class Webhook:
    """An endpoint of the tenant.

    Attributes:
        disabled_reason: ``gone``, ``failing`` or ``by_request``; None while it is enabled.
        paused_until: until then it is left alone because it failed.
        secret: only in the answer that made it; None too when such an answer was lost and asked for again.
    """

    id: str
    url: str
    description: str | None
    events: tuple[str, ...]
    enabled: bool
    disabled_reason: str | None
    disabled_at: datetime | None
    consecutive_failures: int
    failing_since: datetime | None
    paused_until: datetime | None
    last_success_at: datetime | None
    per_job: bool
    created_at: datetime | None
    previous_secret_until: datetime | None
    secret: str | None = field(default=None, repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Webhook:
        """Read an answer of ``/v1/webhooks``."""
        disabled = data.get("disabled") or {}
        times = ("failing_since", "paused_until", "last_success_at", "created_at", "previous_secret_until")
        return cls(
            id=data["id"],
            url=data["url"],
            description=data.get("description"),
            events=tuple(data.get("events") or ()),
            enabled=bool(data["enabled"]),
            disabled_reason=disabled.get("reason"),
            disabled_at=_time(disabled, "at"),
            consecutive_failures=int(data.get("consecutive_failures") or 0),
            per_job=bool(data.get("per_job")),
            secret=data.get("secret"),
            links=data.get("links") or {},
            raw={name: value for name, value in data.items() if name != "secret"},
            **{name: _time(data, name) for name in times},
        )

    @staticmethod
    def page(data: JsonObject) -> Page[Webhook]:
        """Read the answer of ``GET /v1/webhooks``."""
        items = tuple(Webhook.from_json(entry) for entry in data["webhooks"])
        return Page(items, data.get("after"), bool(data.get("has_more")))


@dataclass(frozen=True)
class DeliveryAttempt:
    """One attempt: ``status`` of the receiver, or ``error``, a fixed word; ``response`` is its first kilobyte."""

    at: datetime | None
    milliseconds: int | None
    status: int | None
    error: str | None
    response: str | None

    @classmethod
    def from_json(cls, data: JsonObject) -> DeliveryAttempt:
        """Read one entry of ``attempt_log``."""
        return cls(
            at=_time(data, "at"),
            milliseconds=data.get("milliseconds"),
            status=data.get("status"),
            error=data.get("error"),
            response=data.get("response"),
        )


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint.

    Attributes:
        state: ``pending``, ``delivered`` or ``failed``.
        attempts: how many were made.
        attempt_log: newest first; only in the answer for one delivery, like ``body``.
        body: the text that is sent.
    """

    id: str
    endpoint_id: str
    url: str
    webhook_id: str
    event: str
    job_id: str | None
    state: str
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime | None
    ended_at: datetime | None
    body: str | None = field(default=None, repr=False)
    attempt_log: tuple[DeliveryAttempt, ...] = field(default=(), repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Delivery:
        """Read an answer of ``/v1/deliveries``."""
        return cls(
            id=data["id"],
            endpoint_id=data["endpoint_id"],
            url=data["url"],
            webhook_id=data["webhook_id"],
            event=data["event"],
            state=data["state"],
            job_id=data.get("job_id"),
            attempts=int(data.get("attempts") or 0),
            last_status=data.get("last_status"),
            last_error=data.get("last_error"),
            next_attempt_at=_time(data, "next_attempt_at"),
            created_at=_time(data, "created_at"),
            ended_at=_time(data, "ended_at"),
            body=data.get("body"),
            attempt_log=tuple(DeliveryAttempt.from_json(entry) for entry in data.get("attempt_log") or ()),
            links=data.get("links") or {},
            raw=data,
        )

    @staticmethod
    def page(data: JsonObject) -> Page[Delivery]:
        """Read the answer of ``GET /v1/deliveries``."""
        items = tuple(Delivery.from_json(entry) for entry in data["deliveries"])
        return Page(items, data.get("after"), bool(data.get("has_more")))


@dataclass(frozen=True)
class JobSecret:
    """The secret that signs what goes to the ``webhook_url`` of jobs; its text only where it was made."""

    exists: bool
    created_at: datetime | None
    rotated_at: datetime | None
    previous_secret_until: datetime | None
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> JobSecret:
        """Read an answer of ``/v1/webhooks/job-secret``."""
        secret = data.get("secret")
        return cls(
            exists=bool(data.get("exists", secret)),
            created_at=_time(data, "created_at"),
            rotated_at=_time(data, "rotated_at"),
            previous_secret_until=_time(data, "previous_secret_until"),
            secret=secret,
        )
