"""Metrics of single tenants, from Postgres. Their names are labels, so only some of them are named.

Those with the most images waiting are, then those with the most images of late; all others together are one series.
The statement walks the partial index of open jobs, and for each tenant the index of jobs that ended within the hour.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.metrics.reading import TERMS, Reading
from shared.jobs import pauses
from shared.metrics import definitions as metrics

# No tenant of ours can have this name by accident and be worth a series of its own.
OTHERS = "(others)"
TENANTS = text(
    f"""
    WITH open AS (
        SELECT tenant_id, sum(pending) AS waiting, min(since) FILTER (WHERE pending > 0 AND NOT paused) AS oldest,
               sum(succeeded) AS succeeded, sum(failed) AS failed, sum(rejected) AS rejected
        FROM (SELECT tenant_id, total - succeeded - failed - rejected - canceled AS pending, succeeded, failed,
                     rejected, {pauses.HELD_JOB} AS paused,
                     CASE WHEN retries = 0 THEN committed_at ELSE queued_at END AS since
              FROM jobs WHERE state IN ('validating', 'queued', 'running')) AS job
        GROUP BY tenant_id),
    lately AS (
        SELECT t.id AS tenant_id, ended.* FROM tenants t CROSS JOIN LATERAL (
            SELECT sum(succeeded) AS succeeded, sum(failed) AS failed, sum(rejected) AS rejected
            FROM jobs j WHERE j.tenant_id = t.id AND j.deleted_at IS NULL AND j.finished_at > now() - interval '1 hour'
        ) AS ended WHERE ended.succeeded IS NOT NULL),
    active AS (
        SELECT t.name, coalesce(o.waiting, 0) AS waiting, o.oldest,
               coalesce(o.succeeded, 0) + coalesce(l.succeeded, 0) AS succeeded,
               coalesce(o.failed, 0) + coalesce(l.failed, 0) AS failed,
               coalesce(o.rejected, 0) + coalesce(l.rejected, 0) AS rejected
        FROM open o FULL JOIN lately l USING (tenant_id) JOIN tenants t ON t.id = tenant_id),
    placed AS (
        SELECT active.*,
               row_number() OVER (ORDER BY waiting DESC, succeeded + failed + rejected DESC, name) AS place
        FROM active)
    SELECT CASE WHEN place <= :most THEN name ELSE :others END AS tenant, sum(waiting) AS waiting,
           coalesce(extract(epoch FROM now() - min(oldest)), 0) AS oldest,
           sum(succeeded) AS succeeded, sum(failed) AS failed, sum(rejected) AS rejected
    FROM placed GROUP BY 1
    """  # noqa: S608  # constants
)
WAITING, OLDEST = "waiting", "oldest"
STATUSES = ("succeeded", "failed", "rejected")


def read_tenants(session: Session, *, max_tenants: int) -> Reading:
    """Read the tenants with open jobs or jobs that ended within the hour, and the sum of all others.

    Args:
        session: in a transaction of its own.
        max_tenants: number of those that are named; 0 reads nothing.
    """
    if not max_tenants:
        return {}
    for term in TERMS:
        session.execute(term)
    counts_by_tenant = {OTHERS: dict.fromkeys((WAITING, OLDEST, *STATUSES), 0.0)}
    for row in session.execute(TENANTS, {"most": max_tenants, "others": OTHERS}).mappings():
        counts_by_tenant[row["tenant"]] = {name: max(float(row[name]), 0.0) for name in (WAITING, OLDEST, *STATUSES)}
    return {
        metrics.TENANT_IMAGES_WAITING: [((name,), counts[WAITING]) for name, counts in counts_by_tenant.items()],
        metrics.TENANT_OLDEST_IMAGE: [((name,), counts[OLDEST]) for name, counts in counts_by_tenant.items()],
        metrics.TENANT_IMAGES: [
            ((name, status), counts[status]) for name, counts in counts_by_tenant.items() for status in STATUSES
        ],
    }
