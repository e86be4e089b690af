"""The definition of a dead letter, and the query that finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts.states import ImageErrorCode
from shared.db.plans import RESULTS_WITH_IMAGE

# Of what the file itself is not to blame: a second run may give an answer. The others (truncated, empty, no picture)
# would fail again, and their owner reads them in the results.
FAULTS = (ImageErrorCode.WORKER_CRASHED.value, ImageErrorCode.OBJECT_MISSING.value)

# The partial index on what did not succeed finds these without reading every result.
IMAGES = text(
    f"""
    SELECT 'image' AS kind, t.name AS tenant, r.job_id, r.seq, i.name, r.error_code AS code, r.error_detail AS detail,
           r.finished_at AS at, i.bucket, i.object_key
    FROM {RESULTS_WITH_IMAGE} JOIN jobs j ON j.id = r.job_id JOIN tenants t ON t.id = j.tenant_id
    WHERE r.status = 'failed' AND r.error_code = ANY(:codes) AND r.finished_at >= :since
      AND j.deleted_at IS NULL AND (CAST(:tenant AS uuid) IS NULL OR j.tenant_id = :tenant)
    ORDER BY r.finished_at, r.job_id, r.seq
    """  # noqa: S608  # a text of shared.db.plans
)
JOBS = text(
    """
    SELECT 'job' AS kind, t.name AS tenant, j.id AS job_id, j.name, j.error_code AS code, j.error_detail AS detail,
           j.finished_at AS at
    FROM jobs j JOIN tenants t ON t.id = j.tenant_id
    WHERE j.state = 'failed' AND j.error_code IS NOT NULL AND j.finished_at >= :since AND j.deleted_at IS NULL
      AND (CAST(:tenant AS uuid) IS NULL OR j.tenant_id = :tenant)
    ORDER BY j.finished_at, j.id
    """
)
DELIVERIES = text(
    """
    SELECT 'delivery' AS kind, t.name AS tenant, d.tenant_id, v.job_id, d.id AS delivery_id, d.endpoint_id,
           e.url AS name, d.event_type, d.event_id AS webhook_id, d.attempts, d.ended_at AS at, e.enabled,
           coalesce(d.last_error, 'status_' || d.last_status) AS code, d.event_type || ' after ' || d.attempts
           || ' attempts' || CASE WHEN e.enabled THEN '' ELSE '; its endpoint is disabled' END AS detail
    FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id JOIN tenants t ON t.id = d.tenant_id
    JOIN events v ON v.id = d.event_id
    WHERE d.state = 'failed' AND d.ended_at >= :since AND (CAST(:tenant AS uuid) IS NULL OR d.tenant_id = :tenant)
      AND d.event_type NOT IN ('job.progress', 'webhook.test')
    ORDER BY d.ended_at, d.id
    """
)
# Not those that their format cannot hold: their owner reads that, and asks for another one.
EXPORTS = text(
    """
    SELECT 'export' AS kind, t.name AS tenant, e.job_id, e.id AS export_id, e.format AS name, e.error_code AS code,
           e.error AS detail, e.finished_at AS at
    FROM exports e JOIN jobs j ON j.id = e.job_id JOIN tenants t ON t.id = e.tenant_id
    WHERE e.state = 'failed' AND e.error_code = 'worker_crashed' AND e.finished_at >= :since AND j.deleted_at IS NULL
      AND (CAST(:tenant AS uuid) IS NULL OR e.tenant_id = :tenant)
    ORDER BY e.finished_at, e.id
    """
)
KINDS = {"image": IMAGES, "job": JOBS, "export": EXPORTS, "delivery": DELIVERIES}


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """A filter of dead letters: kinds and codes, one tenant or all, since a moment."""

    kinds: Sequence[str]
    codes: Sequence[str]
    tenant_id: UUID | None
    since: datetime


def find(session: Session, letter_filter: LetterFilter) -> list[Row[Any]]:
    """Return the dead letters, kind after kind, oldest first."""
    parameters = {"codes": list(letter_filter.codes), "tenant": letter_filter.tenant_id, "since": letter_filter.since}
    return [row for kind in letter_filter.kinds for row in session.execute(KINDS[kind], parameters)]
