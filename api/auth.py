"""The caller of a request: an API key in ``X-API-Key`` or as a bearer token, and its scopes."""

import hmac
import uuid
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Row, text
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.errors import request_id_of
from api.limits.shares import Holder
from api.services import Services
from shared.access import keys
from shared.audit import Actor
from shared.contracts.audit import ActorKind
from shared.contracts.states import Scope
from shared.errors import Forbidden, Unauthenticated

API_KEY_HEADER = APIKeyHeader(
    name="X-API-Key", scheme_name="ApiKey", description="`pb_…`, as the operator gave it to you.", auto_error=False
)
BEARER = HTTPBearer(scheme_name="Bearer", description="The same key as a bearer token.", auto_error=False)

# Expiry is judged by the clock of the database, like every other time.
FIND = text(
    """
    SELECT k.id, k.name, k.tenant_id, k.digest, k.scopes, t.s3_sources, t.requests_per_minute,
           k.revoked_at IS NOT NULL AS revoked,
           coalesce(k.expires_at <= now(), false) AS expired,
           coalesce(k.last_used_at < now() - interval '1 minute', true) AS stale
    FROM api_keys k JOIN tenants t ON t.id = k.tenant_id WHERE k.prefix = :prefix
    """
)

# At most once a minute, and nobody waits for the row: whoever holds it writes the same.
TOUCH = text(
    """
    UPDATE api_keys SET last_used_at = now()
    WHERE id = (SELECT id FROM api_keys WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The tenant behind a request, and the rights of its key."""

    tenant_id: uuid.UUID
    scopes: frozenset[str]
    s3_sources: tuple[str, ...]
    key_name: str
    actor: Actor
    requests_per_minute: int | None = None

    @property
    def holder(self) -> Holder:
        """The holder of shares of this process, to which its requests count."""
        return Holder(self.tenant_id, self.actor.name)

    def may(self, scope: Scope) -> bool:
        """Return whether the key has a scope; ``admin`` has each."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def _given(header: str | None, bearer: HTTPAuthorizationCredentials | None) -> keys.Key:
    given = header or (bearer.credentials if bearer else None)
    if not given:
        raise Unauthenticated("send your API key as `X-API-Key: pb_…` or `Authorization: Bearer pb_…`")
    key = keys.parse(given)
    if key is None:
        raise Unauthenticated("this is no API key; a key looks like `pb_<12 characters>_<43 characters>`")
    return key


def authenticate(session: Session, key: keys.Key) -> Caller:
    """Return the caller behind a key.

    Raises:
        Unauthenticated: the key is unknown, wrong, expired or revoked.
    """
    row = session.execute(FIND, {"prefix": key.prefix}).one_or_none()
    # The digest is compared also when there is no row, so that time says nothing of which prefixes exist.
    right = hmac.compare_digest(row.digest if row is not None else b"\0" * 32, key.digest)
    if row is None or not right:
        raise Unauthenticated("this API key is unknown; ask the operator for one")
    _check_alive(row)
    if row.stale:
        session.execute(TOUCH, {"id": row.id})
    return Caller(
        tenant_id=row.tenant_id,
        scopes=frozenset(row.scopes),
        s3_sources=tuple(row.s3_sources),
        key_name=row.name,
        actor=Actor(ActorKind.KEY, key.prefix),
        requests_per_minute=row.requests_per_minute,
    )


def _check_alive(row: Row[Any]) -> None:
    if row.revoked:
        raise Unauthenticated("this API key was revoked; ask the operator for another")
    if row.expired:
        raise Unauthenticated("this API key has expired; ask the operator for another")


class Requires:
    """A dependency of a route: the caller, who must have a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(
        self,
        request: Request,
        _header: Annotated[str | None, Depends(API_KEY_HEADER)],
        _bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> Caller:
        """Return the caller, whom the route admitted before it read the body; headers stand here for OpenAPI."""
        caller: Caller = request.state.caller
        return caller

    async def admit(self, request: Request) -> None:
        """Find the caller in a short transaction of its own, and remember it in the state of the request.

        Raises:
            Unauthenticated: no key, or none that is good.
            Forbidden: the key lacks the scope.
            RateLimited: the key asks too often.
            DatabaseUnavailable: Postgres is away.
        """
        key = _given(await API_KEY_HEADER(request), await BEARER(request))
        request.state.key_prefix = key.prefix
        request.state.caller = await run_in_threadpool(self._find, request, key)

    def _find(self, request: Request, key: keys.Key) -> Caller:
        services: Services = request.app.state.services
        with services.database.begin() as session:
            caller = authenticate(session, key)
        request.state.tenant_id = caller.tenant_id
        allowed, request.state.rate = services.rates.count(key.prefix, caller.requests_per_minute)
        if request.state.rate is not None and not allowed:
            raise request.state.rate.refusal()
        if not caller.may(self.scope):
            raise Forbidden(f"this key may not do this: it lacks the scope `{self.scope}`")
        return replace(caller, actor=_located(caller.actor, request))


def _located(actor: Actor, request: Request) -> Actor:
    address = request.client.host if request.client else None
    return replace(actor, address=address, request_id=request_id_of(request))
