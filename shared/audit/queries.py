"""Reading the audit log, and the only way to shorten it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from shared.contracts.audit import ActorKind
from shared.db.models import ApiKey, AuditEntry, Tenant

# The trigger of the table keeps what is younger from everybody.
LEAST_DAYS = 30
ALLOW = text("SELECT set_config('phytobatch.audit_retention', 'on', true)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; ``None`` is any. ``action`` is a whole name, or its first word: ``job`` is every ``job.…``."""

    tenant_id: uuid.UUID | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    limit: int = 100


def find(session: Session, wanted: Wanted) -> Sequence[tuple[AuditEntry, str | None, str | None]]:
    """Find the newest entries that fit, oldest first, each with the names of its tenant and key, where they exist."""
    by_key = (ApiKey.prefix == AuditEntry.actor) & (AuditEntry.actor_kind == ActorKind.KEY)
    query = (
        select(AuditEntry, Tenant.name, ApiKey.name)
        .outerjoin(Tenant, Tenant.id == AuditEntry.tenant_id)
        .outerjoin(ApiKey, by_key)
    )
    for column in ("tenant_id", "actor", "subject"):
        if (value := getattr(wanted, column)) is not None:
            query = query.where(getattr(AuditEntry, column) == value)
    if wanted.action is not None:
        query = query.where((AuditEntry.action == wanted.action) | AuditEntry.action.startswith(f"{wanted.action}."))
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    newest = session.execute(query.order_by(AuditEntry.id.desc()).limit(wanted.limit)).all()
    return [(row[0], row[1], row[2]) for row in reversed(newest)]


def forget(session: Session, *, older_than: timedelta) -> int:
    """Remove entries that are older, by the clock of the database. Returns how many.

    The trigger refuses the whole when one of them is younger than ``LEAST_DAYS``.
    """
    session.execute(ALLOW)
    gone = session.scalars(
        delete(AuditEntry).where(AuditEntry.at < func.now() - older_than).returning(AuditEntry.id)
    ).all()
    return len(gone)
