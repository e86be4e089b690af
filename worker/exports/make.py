"""Making one export: from the database to the object store, a page and a part at a time in memory."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from shared.db.models import Job
from shared.errors import LeaseLost
from shared.exports import claims
from shared.exports.formats import FORMATS
from shared.exports.queries import filter_of
from shared.exports.rows import Page
from shared.exports.sheet import Sheet, plan
from shared.storage.keys import export_key, export_prefix, token_of
from worker.context import Context
from worker.exports.held import HeldExport


@dataclass(frozen=True, slots=True)
class Made:
    """What lies in the object store now."""

    rows: int
    size: int


def make(context: Context, held: HeldExport) -> Made:
    """Write the file of an export and say that it is there.

    What earlier attempts left behind is removed first, never what later ones wrote. The object has the token of this
    attempt in its name, so that a worker that was overtaken never writes over its successor's.

    Raises:
        LeaseLost: the export belongs to another worker, or was deleted; nothing is left of the file.
        StopAsked: the process is to stop.
        InvalidRequest: the format cannot hold this.
        Conflict: the job was retried meanwhile.
        StoreUnavailable, DatabaseUnavailable: infrastructure is away.
    """
    claim = held.claim
    sheet = _plan(context, held)
    key = export_key(claim.job_id, claim.id, claim.token)
    context.store.discard(export_prefix(claim.job_id, claim.id), only=lambda found: token_of(found) < claim.token)
    size = _write(context, held, sheet, key)
    try:
        context.database.run(
            lambda session: claims.finish(
                session,
                claim,
                object_key=key,
                size=size,
                rows=sheet.rows,
                keep_hours=context.settings.export_hours,
            ),
            patience_seconds=context.settings.lease_seconds,
        )
    except LeaseLost:
        context.store.delete([key])
        raise
    return Made(sheet.rows, size)


def _plan(context: Context, held: HeldExport) -> Sheet:
    with context.database.begin() as session:
        job = session.get(Job, held.claim.job_id)
        if job is None or job.deleted_at is not None:
            raise LeaseLost(f"job {held.claim.job_id} was deleted")
        columns = context.settings.export_metadata_columns
        return plan(session, job, filter_of(held.claim.parameters), metadata_columns=columns)


def _write(context: Context, held: HeldExport, sheet: Sheet, key: str) -> int:
    chosen = FORMATS[held.claim.format]
    with (
        context.store.writing(key, media_type=chosen.media_type) as out,
        closing(chosen.encode(sheet, _beating(held, sheet.pages(context.database)))) as pieces,
    ):
        for piece in pieces:
            held.beat()
            out.write(piece)
    return out.size


def _beating(held: HeldExport, pages: Iterator[Page]) -> Iterator[Page]:
    for page in pages:
        held.beat()
        yield page
