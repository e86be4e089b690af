"""Direct exports, sent while they are read: between two pieces one holds neither a thread nor a connection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.auth import Caller
from api.deps import JobId
from api.exports.names import attachment, export_name
from api.limits.shares import Place
from api.services import Services
from shared.contracts.exports import ExportContent
from shared.errors import LimitExceeded, PhytobatchError
from shared.exports.contents import plan_export, suffix_of
from shared.exports.format import Format
from shared.exports.sheet import Sheet
from shared.jobs import queries
from shared.jobs.results import ResultFilter

log = structlog.get_logger()

Pieces = Generator[bytes, None, None]
NextPiece = Callable[[], Awaitable[bytes | None]]


ROWS = {ExportContent.RESULTS: "images", ExportContent.TILES: "tiles"}


@dataclass(frozen=True, slots=True)
class StartedExport:
    """A file whose first piece is ready: errors until then were still answered as problems."""

    sheet: Sheet
    first: bytes
    rest: Pieces


def begin(
    services: Services, caller: Caller, job_id: JobId, content: ExportContent, chosen: Format, only: ResultFilter
) -> StartedExport:
    """Plan and make the first piece. Call it in a thread.

    Raises:
        NotFound: this tenant has no such job.
        LimitExceeded: the export is too large to be sent directly.
        InvalidRequest: the format cannot hold it, or the job has no tiles.
    """
    settings = services.settings
    with services.database.begin() as session:
        job = queries.get_job(session, caller.tenant_id, job_id).job
        sheet = plan_export(session, job, content, only, metadata_columns=settings.export_metadata_columns)
    if sheet.rows > settings.max_direct_export_rows:
        most = settings.max_direct_export_rows
        raise LimitExceeded(
            f"this export has {sheet.rows} {ROWS[content]}, at most {most} are sent directly; "
            f"POST /v1/jobs/{job_id}/exports makes it in the background",
            setting="PHYTOBATCH_MAX_DIRECT_EXPORT_ROWS",
        )
    pieces = chosen.encode(sheet, sheet.pages(services.database))
    return StartedExport(sheet, next(pieces, b""), pieces)


class ExportResponse(StreamingResponse):
    """A response that sends the pieces as fast as the client takes them.

    An error in between breaks the answer off: there is never a short file that looks whole.
    """

    def __init__(self, started: StartedExport, chosen: Format, place: Place, next_piece: NextPiece) -> None:
        sheet = started.sheet
        headers = {
            "Content-Disposition": attachment(
                export_name(sheet.job_name, sheet.job_id, suffix_of(sheet.content, chosen.name))
            ),
            "Vary": "Accept",
            "X-Phytobatch-Job-State": sheet.state.value,
            "X-Phytobatch-Rows": str(sheet.rows),
            "X-Phytobatch-Pending": str(sheet.pending),
            # Proxies must not wait for the whole (nginx takes this header from the answer).
            "X-Accel-Buffering": "no",
        }
        super().__init__(_pieces(started.first, next_piece), headers=headers, media_type=chosen.media_type)
        self._rest = started.rest
        self._place = place

    async def stream_response(self, send: Send) -> None:
        """Send as Starlette does, but without the end of the body after an error: the server closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async for piece in self.body_iterator:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except PhytobatchError as error:
            log.warning("export_broken_off", reason=str(error))
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and remove what the format kept on disk, however it ends."""
        with self._place, closing(self._rest):
            await super().__call__(scope, receive, send)


async def _pieces(first: bytes, next_piece: NextPiece) -> AsyncIterator[bytes]:
    yield first
    while (piece := await next_piece()) is not None:
        yield piece
