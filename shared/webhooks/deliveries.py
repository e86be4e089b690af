"""Claims: which deliverer makes which delivery, and for how long.

A claim takes a lease and a token, as with chunks (``shared.jobs.claims``), but it does not count the attempt: an
attempt that was never recorded must not use up the schedule. Whoever records names the token; when that no longer
matches, the delivery was handed to somebody else, and the receiver gets it twice.

Locks are taken in one order everywhere: endpoints by id, then deliveries by id.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.tracing import Origin
from shared.webhooks.clock import Clock

# The endpoints that something may be sent to now, the one that waits longest first. `waiting` jumps from endpoint to
# endpoint through the index (a loose index scan): the cost grows with the endpoints that wait, not with what they wait
# for. An endpoint that is locked is being claimed for or recorded at this moment: the next claim will see it.
LOCK_ENDPOINTS = text(
    """
    WITH RECURSIVE waiting AS (
        (SELECT endpoint_id AS id FROM webhook_deliveries WHERE state = 'pending' ORDER BY endpoint_id LIMIT 1)
        UNION ALL
        SELECT next.id FROM waiting, LATERAL (
            SELECT endpoint_id AS id FROM webhook_deliveries
            WHERE state = 'pending' AND endpoint_id > waiting.id ORDER BY endpoint_id LIMIT 1) AS next),
    due AS MATERIALIZED (
        SELECT waiting.id, oldest.at FROM waiting CROSS JOIN LATERAL (
            SELECT next_attempt_at AS at FROM webhook_deliveries
            WHERE endpoint_id = waiting.id AND state = 'pending' AND next_attempt_at <= :now
              AND (lease_token IS NULL OR lease_until <= :now)
            ORDER BY next_attempt_at LIMIT 1) AS oldest)
    SELECT e.id FROM due JOIN webhook_endpoints e ON e.id = due.id
    WHERE e.enabled AND (e.open_until IS NULL OR e.open_until <= :now)
      AND (SELECT count(*) FROM webhook_deliveries l
           WHERE l.endpoint_id = due.id AND l.lease_token IS NOT NULL AND l.lease_until > :now)
          < CASE WHEN e.consecutive_failures >= :breaker THEN 1 ELSE :per_endpoint END
    ORDER BY due.at LIMIT :slots FOR NO KEY UPDATE OF e SKIP LOCKED
    """
)

# A statement of its own, because it must see what was committed before the locks were had: then the counts are exact.
# Slots are dealt out in rounds: everybody's next delivery before anybody's second one.
CLAIM = text(
    """
    WITH free AS MATERIALIZED (
        SELECT e.id, busy.leased,
               CASE WHEN e.consecutive_failures >= :breaker THEN 1 ELSE :per_endpoint END - busy.leased AS room
        FROM webhook_endpoints e CROSS JOIN LATERAL (
            SELECT count(*) AS leased FROM webhook_deliveries l
            WHERE l.endpoint_id = e.id AND l.lease_token IS NOT NULL AND l.lease_until > :now) AS busy
        WHERE e.id = ANY(:endpoints)),
    ranked AS (
        SELECT d.id, d.next_attempt_at,
               free.leased + row_number() OVER (PARTITION BY free.id ORDER BY d.next_attempt_at) AS round
        FROM free CROSS JOIN LATERAL (
            SELECT id, next_attempt_at FROM webhook_deliveries
            WHERE endpoint_id = free.id AND state = 'pending' AND next_attempt_at <= :now
              AND (lease_token IS NULL OR lease_until <= :now)
            ORDER BY next_attempt_at LIMIT greatest(free.room, 0) FOR UPDATE SKIP LOCKED) AS d),
    chosen AS MATERIALIZED (SELECT id FROM ranked ORDER BY round, next_attempt_at LIMIT :slots)
    UPDATE webhook_deliveries d SET lease_token = nextval('lease_tokens'), lease_until = :until
    FROM chosen, webhook_endpoints e, signing_secrets s, events v LEFT JOIN jobs j ON j.id = v.job_id
    WHERE d.id = chosen.id AND e.id = d.endpoint_id AND s.id = e.secret_id AND v.id = d.event_id
    RETURNING d.id, d.endpoint_id, d.lease_token, d.event_id, v.type AS event_type, v.created_at, v.data, e.url,
              s.secret, CASE WHEN s.previous_until > :now THEN s.previous END AS previous,
              e.consecutive_failures >= :breaker AS probe, d.tenant_id, v.job_id, j.request_id, j.traceparent
    """
)

RELEASE = text(
    "UPDATE webhook_deliveries SET lease_token = NULL, lease_until = NULL WHERE id = :id AND lease_token = :token"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which a deliverer claims.

    ``lease`` is longer than any attempt can take; ``per_endpoint`` is the most at a time to one endpoint, over all
    deliverers; after ``breaker_failures`` failures in a row an endpoint gets one at a time.
    """

    lease: timedelta
    per_endpoint: int
    breaker_failures: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is this deliverer's to make until its lease runs out.

    ``secrets``: the valid ones, newest first. ``probe``: the one delivery by which an open breaker tries its endpoint.
    ``claimed_at`` is a time of the deliveries' clock.
    """

    delivery_id: uuid.UUID
    endpoint_id: uuid.UUID
    event_id: uuid.UUID
    token: int
    event_type: str
    created_at: datetime
    data: dict[str, Any] = field(repr=False)
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    probe: bool
    claimed_at: datetime
    tenant_id: uuid.UUID
    job_id: uuid.UUID | None
    origin: Origin


def claim(session: Session, clock: Clock, terms: Terms, *, slots: int) -> list[Claim]:
    """Take deliveries that are due, shared out fairly over their endpoints.

    Args:
        session: a transaction; the caller commits before it sends anything.
        clock: what time it is.
        terms: for how long, and how many of one endpoint.
        slots: how many at most.

    Returns:
        As many claims as there was something to do for.
    """
    now = clock.now(session)
    limits = {"now": now, "breaker": terms.breaker_failures, "per_endpoint": terms.per_endpoint, "slots": slots}
    endpoints = list(session.scalars(LOCK_ENDPOINTS, limits))
    if not endpoints:
        return []
    taken = session.execute(CLAIM, {**limits, "endpoints": endpoints, "until": now + terms.lease})
    return [_claim_of(row, now) for row in taken]


def release(session: Session, claims: Sequence[Claim]) -> None:
    """Hand deliveries back that nothing was recorded of: they are due again at once."""
    if claims:
        in_order = sorted(claims, key=lambda each: each.delivery_id)
        session.execute(RELEASE, [{"id": each.delivery_id, "token": each.token} for each in in_order])


def _claim_of(row: Row[Any], now: datetime) -> Claim:
    return Claim(
        delivery_id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        token=row.lease_token,
        event_type=row.event_type,
        created_at=row.created_at,
        data=row.data,
        url=row.url,
        secrets=(row.secret,) if row.previous is None else (row.secret, row.previous),
        probe=row.probe,
        claimed_at=now,
        tenant_id=row.tenant_id,
        job_id=row.job_id,
        origin=Origin(row.request_id, row.traceparent),
    )
