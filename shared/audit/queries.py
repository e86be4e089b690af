"""Reading the audit log, and the only way to shorten it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from shared.contracts.audit import ActorKind
from shared.db.models import ApiKey, AuditEntry, Tenant

# The trigger of the table protects younger entries.
MIN_DAYS = 30
ALLOW = text("SELECT set_config('phytobatch.audit_retention', 'on', true)")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """A filter of entries; ``None`` is any. ``action``: a whole name or its first word, ``job`` for every ``job.…``."""

    tenant_id: uuid.UUID | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    limit: int = 100


def find(session: Session, entries: AuditFilter) -> Sequence[tuple[AuditEntry, str | None, str | None]]:
    """Find the newest entries that fit, oldest first, each with the names of its tenant and key, where they exist."""
    by_key = (ApiKey.prefix == AuditEntry.actor) & (AuditEntry.actor_kind == ActorKind.KEY)
    query = (
        select(AuditEntry, Tenant.name, ApiKey.name)
        .outerjoin(Tenant, Tenant.id == AuditEntry.tenant_id)
        .outerjoin(ApiKey, by_key)
    )
    for column in ("tenant_id", "actor", "subject"):
        if (value := getattr(entries, column)) is not None:
            query = query.where(getattr(AuditEntry, column) == value)
    if entries.action is not None:
        query = query.where((AuditEntry.action == entries.action) | AuditEntry.action.startswith(f"{entries.action}."))
    if entries.since is not None:
        query = query.where(AuditEntry.at >= entries.since)
    newest = session.execute(query.order_by(AuditEntry.id.desc()).limit(entries.limit)).all()
    return [(row[0], row[1], row[2]) for row in reversed(newest)]


def forget(session: Session, *, older_than: timedelta) -> int:
    """Remove older entries, by the clock of the database. Return their number.

    The trigger refuses the whole if one of them is younger than ``MIN_DAYS``.
    """
    session.execute(ALLOW)
    removed = session.scalars(
        delete(AuditEntry).where(AuditEntry.at < func.now() - older_than).returning(AuditEntry.id)
    ).all()
    return len(removed)
