"""Pauses: work that operators hold back, obeyed where work is claimed and nowhere else.

What runs goes on to the end of its chunk. The jobs of a paused tenant or classifier stay queued, and go on when the
pause ends. Removal is not held back for a tenant: what was deleted goes.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Interval, func, select, text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.db.models import Classifier, Pause, Tenant
from shared.jobs.chunks import POOLS_OF_CLASSIFIER

# The table has a handful of rows, so each of these is read in microseconds, and once for a statement.
EVERYTHING = "EXISTS (SELECT 1 FROM pauses WHERE tenant_id IS NULL AND classifier_id IS NULL AND worker IS NULL)"
TENANTS = "SELECT tenant_id FROM pauses WHERE tenant_id IS NOT NULL"
CLASSIFIERS = "SELECT classifier_id FROM pauses WHERE classifier_id IS NOT NULL"
POOLS = (
    f"SELECT prefix || classifier_id FROM pauses, unnest(ARRAY{list(POOLS_OF_CLASSIFIER)}) AS pools (prefix) "  # noqa: S608  # constants
    "WHERE classifier_id IS NOT NULL"
)
# A worker by its name, ``host:pid``, or by its host.
IS_DRAINED = "EXISTS (SELECT 1 FROM pauses WHERE worker IN (:worker, split_part(:worker, ':', 1)))"
# Of a row of `jobs`, by no other name: a pause of everything, of its tenant or of its classifier.
HELD_JOB = f"({EVERYTHING} OR jobs.tenant_id IN ({TENANTS}) OR coalesce(jobs.classifier_id IN ({CLASSIFIERS}), false))"

INSERT = text(
    """
    INSERT INTO pauses (id, tenant_id, classifier_id, worker, actor, reason)
    VALUES (gen_random_uuid(), :tenant_id, :classifier_id, :worker, :actor, :reason)
    ON CONFLICT (tenant_id, classifier_id, worker) DO NOTHING RETURNING 1
    """
)
DELETE = text(
    """
    DELETE FROM pauses WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant_id AS uuid)
        AND classifier_id IS NOT DISTINCT FROM CAST(:classifier_id AS uuid)
        AND worker IS NOT DISTINCT FROM CAST(:worker AS text) RETURNING 1
    """
)
COUNTS = text(
    """
    SELECT count(*) FILTER (WHERE num_nonnulls(tenant_id, classifier_id, worker) = 0) AS everything,
           count(tenant_id) AS tenant, count(classifier_id) AS classifier, count(worker) AS worker
    FROM pauses
    """
)


class Scope(StrEnum):
    """The kinds of subjects that a pause may have."""

    EVERYTHING = "everything"
    TENANT = "tenant"
    CLASSIFIER = "classifier"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a pause: one of these, or everything where none is given."""

    tenant_id: uuid.UUID | None = None
    classifier_id: uuid.UUID | None = None
    worker: str | None = None

    @property
    def key(self) -> dict[str, object]:
        """The parameters of the statements."""
        return {"tenant_id": self.tenant_id, "classifier_id": self.classifier_id, "worker": self.worker}


EVERYTHING_THERE_IS = Subject()


@dataclass(frozen=True, slots=True)
class ActivePause:
    """A pause that holds, with the name of its subject: a tenant, ``leaf@1``, a worker, or nothing for everything."""

    scope: Scope
    name: str
    since: datetime
    age: timedelta
    actor: str
    reason: str | None


def pause(session: Session, subject: Subject, *, actor: str, reason: str | None = None) -> bool:
    """Hold back the work of the subject from the next claim on. ``False``: it is paused already, as it was."""
    row = session.execute(INSERT, {**subject.key, "actor": stored.words(actor), "reason": reason}).one_or_none()
    return row is not None


def resume(session: Session, subject: Subject) -> bool:
    """End the pause of the subject. ``False``: it was not paused."""
    return session.execute(DELETE, subject.key).one_or_none() is not None


def pauses(session: Session) -> Sequence[ActivePause]:
    """List every pause that holds, oldest first."""
    rows = session.execute(
        select(
            Pause,
            Tenant.name,
            Classifier.name + "@" + Classifier.version,
            (func.now() - Pause.created_at).cast(Interval),
        )
        .outerjoin(Tenant, Tenant.id == Pause.tenant_id)
        .outerjoin(Classifier, Classifier.id == Pause.classifier_id)
        .order_by(Pause.created_at, Pause.id)
    )
    found = []
    for row, tenant, classifier, age in rows:
        named = {Scope.TENANT: tenant, Scope.CLASSIFIER: classifier, Scope.WORKER: row.worker}
        scope, name = next(((scope, name) for scope, name in named.items() if name), (Scope.EVERYTHING, ""))
        found.append(ActivePause(scope, name, row.created_at, age, row.actor, row.reason))
    return found


def counts(session: Session) -> dict[Scope, int]:
    """Count the pauses of each kind that hold."""
    row = session.execute(COUNTS).one()
    return {scope: getattr(row, scope) for scope in Scope}
