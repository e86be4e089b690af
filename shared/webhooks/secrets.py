"""The secrets that sign deliveries: one for each endpoint, and one of the tenant for the ``webhook_url`` of its jobs.

A secret is answered by the call that makes it and never again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.db.base import new_id
from shared.webhooks.signing import new_secret

# Two secrets are valid at most: who rotates again within the overlap drops the older one at once.
RENEW = """
    previous = CASE WHEN :overlap > interval '0' THEN s.secret END,
    previous_until = CASE WHEN :overlap > interval '0' THEN now() + :overlap END,
    secret = :secret, rotated_at = now()
"""
INSERT = text("INSERT INTO signing_secrets (id, tenant_id, secret) VALUES (:id, :tenant, :secret)")
ROTATE = text(f"UPDATE signing_secrets AS s SET {RENEW} WHERE s.id = :id")  # noqa: S608  # text of our own
STATE = "created_at, rotated_at, CASE WHEN previous_until > now() THEN previous_until END AS previous_until"
FIND_JOB_SECRET = text(f"SELECT {STATE} FROM signing_secrets WHERE tenant_id = :tenant AND for_jobs")  # noqa: S608  # as above
RENEW_JOB_SECRET = text(
    f"""
    INSERT INTO signing_secrets AS s (id, tenant_id, for_jobs, secret) VALUES (:id, :tenant, true, :secret)
    ON CONFLICT (tenant_id) WHERE for_jobs DO UPDATE SET {RENEW}
    RETURNING {STATE}
    """  # noqa: S608  # as above
)


@dataclass(frozen=True, slots=True)
class JobSecret:
    """A tenant's job secret without its text. ``previous_until``: until then the one before signs too."""

    created_at: datetime
    rotated_at: datetime | None
    previous_until: datetime | None


def add(session: Session, tenant_id: uuid.UUID) -> tuple[uuid.UUID, str]:
    """Add a secret for one endpoint; return its id and its text."""
    secret_id, secret = new_id(), new_secret()
    session.execute(INSERT, {"id": secret_id, "tenant": tenant_id, "secret": secret})
    return secret_id, secret


def rotate(session: Session, secret_id: uuid.UUID, *, overlap: timedelta) -> str:
    """Replace the text of a secret; the old one signs too until ``overlap`` is over."""
    secret = new_secret()
    session.execute(ROTATE, {"id": secret_id, "secret": secret, "overlap": overlap})
    return secret


def job_secret(session: Session, tenant_id: uuid.UUID) -> JobSecret | None:
    """Read the state of the tenant's job secret; ``None`` while there is none."""
    row = session.execute(FIND_JOB_SECRET, {"tenant": tenant_id}).one_or_none()
    return None if row is None else _job_secret(row)


def renew_job_secret(session: Session, tenant_id: uuid.UUID, *, overlap: timedelta) -> tuple[str, JobSecret]:
    """Make the tenant's job secret, or rotate it; return its text and its state."""
    secret = new_secret()
    row = session.execute(
        RENEW_JOB_SECRET, {"id": new_id(), "tenant": tenant_id, "secret": secret, "overlap": overlap}
    ).one()
    return secret, _job_secret(row)


def _job_secret(row: Row[tuple[datetime, datetime | None, datetime | None]]) -> JobSecret:
    return JobSecret(row.created_at, row.rotated_at, row.previous_until)
