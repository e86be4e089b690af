"""Repeatable creation: the same Idempotency-Key and content gets the stored answer.

A request reserves its key in a short transaction, and stores its answer in the transaction that creates, so that a
crash cannot separate the two. The reservation has an end; when its request died, the next one takes it over. The end
is also the fencing token: a request that was overtaken finds another one, and creates nothing.
(draft-ietf-httpapi-idempotency-key-header-07.)
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from fastapi.responses import JSONResponse
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.session import Database
from shared.errors import DatabaseUnavailable, IdempotencyInProgress, IdempotencyMismatch

log = structlog.get_logger()

LOCK_SECONDS = 60.0
REPLAYED = "Idempotent-Replayed"

# Ours when the key is new, forgotten, or left behind by a request that died.
RESERVE = text(
    """
    INSERT INTO idempotency_keys AS k (tenant_id, key, fingerprint, locked_until, expires_at)
    VALUES (:tenant, :key, :fingerprint, clock_timestamp() + :lock, now() + :keep)
    ON CONFLICT (tenant_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, locked_until = excluded.locked_until, expires_at = excluded.expires_at,
        status = NULL, location = NULL, body = NULL, created_at = now()
    WHERE k.expires_at < now()
       OR (k.status IS NULL AND k.locked_until < now() AND k.fingerprint = excluded.fingerprint)
    RETURNING locked_until
    """
)
FIND = text("SELECT fingerprint, status, location, body FROM idempotency_keys WHERE tenant_id = :tenant AND key = :key")
COMPLETE = text(
    """
    UPDATE idempotency_keys SET status = :status, location = :location, body = :body
    WHERE tenant_id = :tenant AND key = :key AND locked_until = :token AND status IS NULL RETURNING 1
    """
)
FORGET = text(
    "DELETE FROM idempotency_keys WHERE tenant_id = :tenant AND key = :key AND locked_until = :token AND status IS NULL"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """The first answer."""

    status: int
    location: str | None
    body: dict[str, Any]

    def replay(self) -> JSONResponse:
        """Return the same answer again, marked as a repetition."""
        headers = {REPLAYED: "true"} | ({"Location": self.location} if self.location else {})
        return JSONResponse(self.body, self.status, headers)


@dataclass(frozen=True, slots=True)
class RepeatableRequest:
    """A request that may be repeated; one without ``key`` is not stored."""

    tenant_id: uuid.UUID
    key: str | None
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to create. With ``stored`` there is nothing to create: the first request did, with this answer."""

    request: RepeatableRequest
    token: datetime | None = None
    stored: Stored | None = None

    def complete(self, session: Session, status: int, body: Mapping[str, Any], *, location: str | None) -> None:
        """Store the answer in the transaction that creates.

        Raises:
            IdempotencyInProgress: another request took the key over; roll back.
        """
        if self.token is None:
            return
        row = session.execute(
            COMPLETE,
            {**self._key, "token": self.token, "status": status, "location": location, "body": Jsonb(dict(body))},
        ).one_or_none()
        if row is None:
            raise IdempotencyInProgress("this request took too long and another one with its key took over; repeat it")

    @property
    def _key(self) -> dict[str, object]:
        return {"tenant": self.request.tenant_id, "key": self.request.key}

    def forget(self, database: Database) -> None:
        """Give the key back after a failure. When that fails too, its end does it."""
        if self.token is None:
            return
        try:
            with database.begin() as session:
                session.execute(FORGET, {**self._key, "token": self.token})
        except DatabaseUnavailable:
            log.warning("idempotency_key_left_behind")


def fingerprint(operation: str, content: object) -> bytes:
    """Return the SHA-256 of a request: the operation and its content, in one canonical form."""
    canonical = json.dumps([operation, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


@contextmanager
def once(
    database: Database, request: RepeatableRequest, *, keep_hours: int, lock_seconds: float = LOCK_SECONDS
) -> Iterator[Ticket]:
    """Yield the right to create once. An exception in the block gives the key back.

    Raises:
        IdempotencyInProgress: the first request with this key still runs.
        IdempotencyMismatch: the key came with other content before.
    """
    ticket = _reserve(database, request, keep_hours, lock_seconds) if request.key is not None else Ticket(request)
    try:
        yield ticket
    except BaseException:
        ticket.forget(database)
        raise


def _reserve(database: Database, request: RepeatableRequest, keep_hours: int, lock_seconds: float) -> Ticket:
    key = {"tenant": request.tenant_id, "key": request.key}
    with database.begin() as session:
        token = session.execute(
            RESERVE,
            {
                **key,
                "fingerprint": request.fingerprint,
                "lock": timedelta(seconds=lock_seconds),
                "keep": timedelta(hours=keep_hours),
            },
        ).scalar_one_or_none()
        found = None if token is not None else session.execute(FIND, key).one_or_none()
    if token is not None:
        return Ticket(request, token=token)
    if found is not None and bytes(found.fingerprint) != request.fingerprint:
        raise IdempotencyMismatch("this Idempotency-Key was used for another request; use a new key for a new request")
    if found is None or found.status is None:
        raise IdempotencyInProgress("the first request with this Idempotency-Key still runs; ask again in a moment")
    return Ticket(request, stored=Stored(found.status, found.location, found.body))
