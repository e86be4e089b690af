"""The record of attempts: many in one transaction, each guarded by the token of its claim."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts.states import AttemptError, DeliveryState, DisabledReason
from shared.webhooks.breaker import Breaker, Failure, Health
from shared.webhooks.clock import Clock
from shared.webhooks.deliveries import Claim
from shared.webhooks.disabling import Disabling, disable
from shared.webhooks.schedule import Schedule

log = structlog.get_logger()

LOCK_ENDPOINTS = text(
    """
    SELECT id, tenant_id, url, enabled, consecutive_failures, failing_since, open_until, last_success_at
    FROM webhook_endpoints WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
    """
)
LOCK_HELD = text(
    """
    SELECT d.id, d.step FROM webhook_deliveries d
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:tokens AS bigint[])) AS held (id, token)
      ON d.id = held.id AND d.lease_token = held.token
    WHERE d.state = 'pending' ORDER BY d.id FOR UPDATE OF d
    """
)
WRITE_DELIVERIES = text(
    """
    UPDATE webhook_deliveries d
    SET state = w.state, step = w.step, attempts = d.attempts + 1, lease_token = NULL, lease_until = NULL,
        next_attempt_at = coalesce(w.next, d.next_attempt_at), ended_at = w.ended, last_status = w.status,
        last_error = w.error
    FROM unnest(CAST(:id AS uuid[]), CAST(:state AS text[]), CAST(:step AS smallint[]), CAST(:next AS timestamptz[]),
                CAST(:ended AS timestamptz[]), CAST(:status AS integer[]), CAST(:error AS text[]))
         AS w (id, state, step, next, ended, status, error)
    WHERE d.id = w.id
    """
)
WRITE_ATTEMPTS = text(
    """
    INSERT INTO webhook_attempts (delivery_id, started_at, milliseconds, status, error, response)
    SELECT * FROM unnest(CAST(:id AS uuid[]), CAST(:started AS timestamptz[]), CAST(:milliseconds AS integer[]),
                         CAST(:status AS integer[]), CAST(:error AS text[]), CAST(:response AS text[]))
    """
)
WRITE_ENDPOINTS = text(
    """
    UPDATE webhook_endpoints e
    SET consecutive_failures = w.failures, failing_since = w.since, open_until = w.open, last_success_at = w.success
    FROM unnest(CAST(:id AS uuid[]), CAST(:failures AS integer[]), CAST(:since AS timestamptz[]),
                CAST(:open AS timestamptz[]), CAST(:success AS timestamptz[])) AS w (id, failures, since, open, success)
    WHERE e.id = w.id
    """
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one claim. ``retry_after`` in seconds; ``response``: the first kilobyte of the answer."""

    claim: Claim
    delivered: bool
    milliseconds: int
    status: int | None = None
    error: AttemptError | None = None
    retry_after: float | None = None
    response: str | None = field(default=None, repr=False)

    @property
    def failure(self) -> Failure:
        """The failure, as the breaker needs it."""
        return Failure(self.status, self.retry_after, self.claim.probe)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of what follows from a failure."""

    schedule: Schedule
    breaker: Breaker


@dataclass(slots=True)
class _Endpoint:
    """An endpoint while outcomes are added to it, one after the other."""

    row: Row[Any]
    health: Health
    verdict: DisabledReason | None = None

    def add(self, outcome: Outcome, breaker: Breaker, now: datetime) -> None:
        """Add an outcome. A success after the verdict does not take it back: 410 is the receiver's own word."""
        if outcome.delivered:
            self.health = self.health.after_success(now)
            return
        self.health = breaker.after_failure(self.health, outcome.failure, now)
        self.verdict = self.verdict or breaker.verdict(self.health, outcome.failure, now)


def record(session: Session, clock: Clock, rules: Rules, outcomes: Sequence[Outcome]) -> int:
    """Store attempts, and what follows for their deliveries and endpoints.

    An outcome whose token no longer matches is dropped: its delivery was handed to somebody else, or is gone. So this
    is harmless to repeat.

    Args:
        session: a transaction.
        clock: what time it is.
        rules: what follows from a failure.
        outcomes: in the order in which they came.

    Returns:
        How many were recorded.
    """
    now = clock.now(session)
    locked = session.execute(LOCK_ENDPOINTS, {"ids": [each.claim.endpoint_id for each in outcomes]})
    endpoints = {row.id: _Endpoint(row, _health(row)) for row in locked}
    held = session.execute(
        LOCK_HELD,
        {
            "ids": [each.claim.delivery_id for each in outcomes],
            "tokens": [each.claim.token for each in outcomes],
        },
    )
    steps: dict[uuid.UUID, int] = {row.id: row.step for row in held}
    ours = [each for each in outcomes if each.claim.delivery_id in steps]
    if lost := len(outcomes) - len(ours):
        log.info("deliveries_lost", count=lost)
    if not ours:
        return 0
    _write_deliveries(session, ours, steps, rules.schedule, now)
    _write_attempts(session, ours)
    _write_endpoints(session, ours, endpoints, rules.breaker, now)
    return len(ours)


def _health(row: Row[Any]) -> Health:
    return Health(row.consecutive_failures, row.failing_since, row.open_until, row.last_success_at)


def _write_deliveries(
    session: Session, outcomes: Sequence[Outcome], steps: dict[uuid.UUID, int], schedule: Schedule, now: datetime
) -> None:
    rows = [_delivery(each, steps[each.claim.delivery_id], schedule, now) for each in outcomes]
    session.execute(WRITE_DELIVERIES, {name: [row[name] for row in rows] for name in rows[0]})


def _delivery(outcome: Outcome, step: int, schedule: Schedule, now: datetime) -> dict[str, object]:
    """Return the columns of a delivery after one more attempt."""
    pause = None
    if not outcome.delivered:
        pause = schedule.pause_after(step, outcome.claim.event_type, retry_after=outcome.retry_after)
    ended = DeliveryState.DELIVERED if outcome.delivered else DeliveryState.FAILED
    return {
        "id": outcome.claim.delivery_id,
        "state": ended if pause is None else DeliveryState.PENDING,
        "step": step if pause is None else step + 1,
        "next": None if pause is None else now + pause,
        "ended": now if pause is None else None,
        "status": outcome.status,
        "error": outcome.error,
    }


def _write_attempts(session: Session, outcomes: Sequence[Outcome]) -> None:
    session.execute(
        WRITE_ATTEMPTS,
        {
            "id": [each.claim.delivery_id for each in outcomes],
            "started": [each.claim.claimed_at for each in outcomes],
            "milliseconds": [each.milliseconds for each in outcomes],
            "status": [each.status for each in outcomes],
            "error": [each.error for each in outcomes],
            "response": [each.response for each in outcomes],
        },
    )


def _write_endpoints(
    session: Session,
    outcomes: Sequence[Outcome],
    endpoints: dict[uuid.UUID, _Endpoint],
    breaker: Breaker,
    now: datetime,
) -> None:
    for each in outcomes:
        endpoints[each.claim.endpoint_id].add(each, breaker, now)
    touched = [endpoints[endpoint_id] for endpoint_id in {each.claim.endpoint_id for each in outcomes}]
    session.execute(
        WRITE_ENDPOINTS,
        {
            "id": [one.row.id for one in touched],
            "failures": [one.health.consecutive_failures for one in touched],
            "since": [one.health.failing_since for one in touched],
            "open": [one.health.open_until for one in touched],
            "success": [one.health.last_success_at for one in touched],
        },
    )
    for one in touched:
        if one.verdict is not None:
            what = Disabling(one.row.id, one.row.tenant_id, one.row.url, one.verdict)
            if disable(session, what, now):
                log.warning("webhook_disabled", endpoint=str(one.row.id), reason=one.verdict)
