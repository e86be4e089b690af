"""Quotas: the maximum of open jobs, of pending images and of pending tiles of a tenant at a time.

A request takes the lock of its tenant's row first, before that of any job; makes its change; and then the total is
checked. Two requests at once are checked one after the other, and one that is refused is rolled back whole.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.errors import QuotaExceeded, QuotaTooSmall
from shared.limits.tenant import effective
from shared.settings import ENV_PREFIX, Settings

# Finished work makes room; a retry after this time is often enough.
RETRY_SECONDS = 20

LOCK = text(
    "SELECT max_open_jobs, max_pending_images, max_pending_tiles FROM tenants WHERE id = :tenant FOR NO KEY UPDATE"
)
PENDING_TILES = text("SELECT max_pending_tiles FROM tenants WHERE id = :tenant")
# A statement of its own: it sees the changes of earlier holders of the lock.
USAGE = text(
    """
    SELECT count(*) AS jobs, coalesce(sum(pending), 0)::bigint AS images,
           coalesce(sum(CASE WHEN work_total IS NULL THEN pending ELSE greatest(work_total - work_done, 0) END), 0)
               ::bigint AS tiles
    FROM (SELECT *, total - succeeded - failed - rejected - canceled AS pending FROM jobs) AS jobs
    WHERE tenant_id = :tenant AND state IN ('draft', 'validating', 'queued', 'running', 'canceling')
    """
)


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of tenants without their own; 0: no limit."""

    open_jobs: int
    pending_images: int
    pending_tiles: int = 0

    @classmethod
    def of(cls, settings: Settings) -> "Quotas":
        """Read the quotas of the settings."""
        return cls(
            open_jobs=settings.max_open_jobs,
            pending_images=settings.max_pending_images,
            pending_tiles=settings.max_pending_tiles,
        )


UNLIMITED = Quotas(open_jobs=0, pending_images=0)


@dataclass(frozen=True, slots=True)
class Usage:
    """The unfinished jobs of a tenant, drafts included, and what of them has no answer: images, and their tiles.

    A photograph that is not cut into tiles, or not inspected yet, is one tile.
    """

    jobs: int
    images: int
    tiles: int = 0


def usage(session: Session, tenant_id: uuid.UUID) -> Usage:
    """Count what a tenant uses now."""
    row = session.execute(USAGE, {"tenant": tenant_id}).one()
    return Usage(row.jobs, row.images, row.tiles)


class TenantLock:
    """The lock on a tenant's quotas, until the end of the transaction."""

    def __init__(self, session: Session, tenant_id: uuid.UUID, quotas: Quotas) -> None:
        self._session = session
        self._tenant_id = tenant_id
        row = session.execute(LOCK, {"tenant": tenant_id}).one()
        self._jobs = effective(row.max_open_jobs, quotas.open_jobs)
        self._images = effective(row.max_pending_images, quotas.pending_images)
        self._tiles = effective(row.max_pending_tiles, quotas.pending_tiles)

    def check(self, *, jobs: int = 0, images: int = 0, tiles: int = 0, of_job: int | None = None) -> None:
        """Check that the additions fit.

        Args:
            jobs: number of jobs that this transaction has opened.
            images: number of images that it made pending.
            tiles: number of tiles of one job that it found out.
            of_job: all pending images of their job, if it is only one; by default ``images``.

        Raises:
            QuotaExceeded: they do not fit now; roll back.
            QuotaTooSmall: they would not even fit alone; roll back.
        """
        used = usage(self._session, self._tenant_id) if jobs or images or tiles else Usage(0, 0)
        if jobs and self._jobs is not None and used.jobs > self._jobs:
            _refuse("open jobs", "max_open_jobs", limit=self._jobs, used=used.jobs, added=jobs, alone=jobs)
        if images and self._images is not None and used.images > self._images:
            alone = images if of_job is None else of_job
            _refuse(
                "pending images", "max_pending_images", limit=self._images, used=used.images, added=images, alone=alone
            )
        if tiles and self._tiles is not None and used.tiles > self._tiles:
            _refuse("pending tiles", "max_pending_tiles", limit=self._tiles, used=used.tiles, added=tiles, alone=tiles)


def lock_tenant(session: Session, tenant_id: uuid.UUID, quotas: Quotas) -> TenantLock:
    """Lock the tenant. Call it before anything else is locked or written."""
    return TenantLock(session, tenant_id, quotas)


def lock_for_tiles(session: Session, tenant_id: uuid.UUID, quotas: Quotas) -> TenantLock | None:
    """Lock the tenant as ``lock_tenant`` does, if it has a limit of pending tiles at all: the lock may last seconds."""
    own = session.execute(PENDING_TILES, {"tenant": tenant_id}).scalar_one()
    limit = effective(own, quotas.pending_tiles)
    return None if limit is None else lock_tenant(session, tenant_id, quotas)


def _refuse(what: str, name: str, *, limit: int, used: int, added: int, alone: int) -> None:
    members: dict[str, str | int] = {"name": name, "limit": limit, "current": used - added, "requested": added}
    setting = f"{ENV_PREFIX}{name.upper()}"
    if alone > limit:
        raise QuotaTooSmall(
            f"this tenant may have {limit} {what}, this job alone would have {alone}; split it, or ask the operator "
            "for more",
            quota=members,
            setting=setting,
        )
    raise QuotaExceeded(
        f"this tenant may have {limit} {what} and has {used - added}, so {added} more do not fit; wait until work is "
        "done, or cancel what you do not need",
        quota=members,
        setting=setting,
        retry_after=RETRY_SECONDS,
    )
