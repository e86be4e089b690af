"""The runner of an export: from the database to the object store, one page and one part at a time in memory."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog

from shared.contracts.exports import ExportOutcome
from shared.db.models import Job
from shared.errors import Conflict, DatabaseUnavailable, InvalidRequest, LeaseLost, StoreUnavailable
from shared.exports import claimed
from shared.exports.claimed import Begun
from shared.exports.contents import plan_export
from shared.exports.formats import FORMATS
from shared.exports.queries import content_of, filter_of
from shared.exports.sheet import Sheet
from shared.metrics.definitions import EXPORT_SECONDS, EXPORTS_ENDED
from shared.storage.keys import export_key, export_prefix, token_of
from worker.context import Context
from worker.leasing.leases import Lease
from worker.leasing.outcome import ChunkOutcome, ExportOutdated, NotRepresentable, StopRequested

log = structlog.get_logger()

# What the loop does with these is in its table; here they are counted by format.
RAISED: Mapping[type[Exception], ExportOutcome] = {
    LeaseLost: ExportOutcome.LEASE_LOST,
    StopRequested: ExportOutcome.HANDED_BACK,
    StoreUnavailable: ExportOutcome.HANDED_BACK,
    DatabaseUnavailable: ExportOutcome.HANDED_BACK,
    NotRepresentable: ExportOutcome.FAILED,
    ExportOutdated: ExportOutcome.OUTDATED,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A file in the object store, by its rows and bytes."""

    rows: int
    size: int


def export(context: Context, lease: Lease) -> ChunkOutcome:
    """Make an export and close its chunk; only close it if the export was made or deleted meanwhile.

    Raises:
        LeaseLost: the chunk belongs to another worker, or export or job was deleted; nothing is left of the file.
        MadeElsewhere: a worker of the version before makes it.
        NotRepresentable: its format cannot hold it.
        ExportOutdated: its job was retried meanwhile.
        StopRequested: this process is to stop.
        StoreUnavailable, DatabaseUnavailable: infrastructure is away.
    """
    begun = context.database.run(lambda session: claimed.begin(session, lease.claim))
    if begun is None:
        return ChunkOutcome.FINISHED
    outcome = ExportOutcome.MADE
    try:
        with EXPORT_SECONDS.labels(begun.format).time():
            made = make(context, lease, begun)
    except Exception as error:
        outcome = next((one for kind, one in RAISED.items() if isinstance(error, kind)), ExportOutcome.FAULT)
        raise
    finally:
        EXPORTS_ENDED.labels(begun.format, outcome).inc()
    log.info("export_made", format=begun.format.value, rows=made.rows, bytes=made.size, attempt=lease.claim.attempt)
    return ChunkOutcome.FINISHED


def make(context: Context, lease: Lease, begun: Begun) -> Made:
    """Write the file of an export and close its chunk.

    Files of earlier attempts are removed first, never those of later ones. The object has the token of this attempt in
    its name, so that a worker that lost its lease never writes over the file of its successor.

    Raises:
        LeaseLost: the chunk belongs to another worker, or export or job was deleted; nothing is left of the file.
        StopRequested: the process is to stop.
        NotRepresentable: the format cannot hold this.
        ExportOutdated: the job was retried meanwhile.
        StoreUnavailable, DatabaseUnavailable: infrastructure is away.
    """
    claim, export_id = lease.claim, _export_id(lease)
    sheet = _plan(context, lease, begun)
    key = export_key(claim.job_id, export_id, claim.token)
    context.store.discard(export_prefix(claim.job_id, export_id), only=lambda found: token_of(found) < claim.token)
    try:
        size = _write(context, lease, begun, sheet, key)
    except InvalidRequest as error:
        raise NotRepresentable(str(error)) from error
    except Conflict as error:
        raise ExportOutdated(str(error)) from error
    keep = context.settings.export_hours
    try:
        context.database.run(
            lambda session: claimed.finish(session, claim, object_key=key, size=size, rows=sheet.rows, keep_hours=keep),
            patience_seconds=context.settings.lease_seconds,
        )
    except LeaseLost:
        context.store.delete([key])
        raise
    return Made(sheet.rows, size)


def _plan(context: Context, lease: Lease, begun: Begun) -> Sheet:
    with context.database.begin() as session:
        job = session.get(Job, lease.claim.job_id)
        if job is None or job.deleted_at is not None:
            raise LeaseLost(f"job {lease.claim.job_id} was deleted")
        columns = context.settings.export_metadata_columns
        content, only = content_of(begun.parameters), filter_of(begun.parameters)
        return plan_export(session, job, content, only, metadata_columns=columns)


def _write(context: Context, lease: Lease, begun: Begun, sheet: Sheet, key: str) -> int:
    chosen = FORMATS[begun.format]
    with (
        context.store.writing(key, media_type=chosen.media_type) as out,
        closing(chosen.encode(sheet, _checked(lease, sheet.pages(context.database)))) as pieces,
    ):
        for piece in pieces:
            _check(lease)
            out.write(piece)
    return out.size


def _checked(lease: Lease, pages: Iterator[list[Any]]) -> Iterator[list[Any]]:
    for page in pages:
        _check(lease)
        yield page


def _check(lease: Lease) -> None:
    lease.progressed()
    lease.check()


def _export_id(lease: Lease) -> uuid.UUID:
    if lease.claim.export_id is None:
        msg = f"chunk {lease.claim.no} of job {lease.claim.job_id} is of the kind export and names none"
        raise AssertionError(msg)
    return lease.claim.export_id
