"""The sidecars of an import, ``geo.txt`` and ``images.csv``: each is about the images of its own folder."""

import uuid
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from shared.contracts.source import Source
from shared.errors import ObjectMissing, ObjectTooLarge
from shared.geography.sidecar.read import folder_of, read_sidecar
from shared.geography.sidecar.row import SidecarInvalid, SidecarRow
from shared.geography.sidecar.storing import apply_sidecar
from shared.storage.store import StoredObject
from worker.context import Context
from worker.leasing.leases import Lease
from worker.leasing.outcome import SourceRejected

log = structlog.get_logger()

# A silently wrong position is worse than a job that fails and says what to repair.
CODE = "sidecar_invalid"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The rows of one sidecar, about the images whose names begin with ``folder``."""

    key: str
    folder: str
    rows: list[SidecarRow]


def fetch_sidecar(context: Context, lease: Lease, source: Source, found: StoredObject) -> Sidecar:
    """Fetch and read one sidecar of an import.

    Raises:
        SourceRejected: it cannot be used; the sentence names it and its fault.
        StoreUnavailable: the object store is away.
        CancelRequested, StopRequested: an order, from ``lease.check()``.
    """
    lease.check()
    lease.progressed()
    try:
        data = context.store.get(found.key, bucket=source.s3.bucket, max_bytes=context.settings.max_sidecar_bytes)
        rows = read_sidecar(data)
    except (SidecarInvalid, ObjectMissing, ObjectTooLarge) as error:
        raise SourceRejected(CODE, f"s3://{source.s3.bucket}/{found.key}: {error}") from error
    name = found.key.removeprefix(source.s3.prefix).lstrip("/")
    return Sidecar(found.key, folder_of(name), rows)


def store_sidecars(session: Session, job_id: uuid.UUID, sidecars: list[Sidecar]) -> None:
    """Store the rows of the sidecars, in the transaction that adds the images."""
    for one in sidecars:
        report = apply_sidecar(session, job_id, one.rows, folder=one.folder)
        log.info("sidecar_read", key=one.key, lines=report.lines, unmatched=len(report.unmatched))
