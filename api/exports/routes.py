"""``/v1/jobs/{id}/export`` at once, ``/v1/jobs/{id}/exports`` and ``/v1/exports`` for what takes longer."""

import uuid
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response

from api.answers import answer, problems
from api.auth import Caller
from api.deps import IdempotencyKeyHeader, JobId, Reader, ServicesDep
from api.exports.direct import ExportResponse, begin
from api.exports.names import attachment
from api.exports.negotiation import choose
from api.exports.schemas import (
    CreateExport,
    ExportOut,
    ExportPage,
    export_out,
    export_page,
    export_path,
    file_name,
)
from api.idempotency import RepeatableRequest, fingerprint, once
from api.pages import DEFAULT, Limit, check_limit
from api.results.routes import result_filter
from api.routing import Router
from api.services import Services
from shared import audit
from shared.contracts.audit import Action
from shared.contracts.exports import ExportContent, ExportFormat, ExportState
from shared.db.models import Export
from shared.exports import queries as exports
from shared.exports.format import Format
from shared.exports.formats import FORMATS
from shared.jobs import queries as jobs
from shared.jobs.results import ResultFilter
from shared.storage.keys import export_prefix
from shared.storage.store import PresignedGet

router = Router(tags=["exports"])

Content = Annotated[
    ExportContent, Query(description="What a row is: an image with its answer, or a tile of a job with tiles.")
]
ExportId = Annotated[uuid.UUID, Path(description="Id of the export.")]
UNFINISHED = (ExportState.QUEUED, ExportState.RUNNING)


def _schema_of(one: Format) -> dict[str, Any]:
    if one.media_type.endswith("+json"):  # One JSON document; the others are bytes to a generic client.
        return {
            "type": "object",
            "additionalProperties": True,
            "examples": [{"type": "FeatureCollection", "features": []}],
        }
    return {"type": "string", "format": "binary", "examples": [f"a file, as `results{one.suffix}`"]}


FILES: dict[str, Any] = {one.media_type.partition(";")[0]: {"schema": _schema_of(one)} for one in FORMATS.values()}


@router.get(
    "/v1/jobs/{job_id}/export",
    operation_id="export_job",
    summary="Download results as a file",
    response_class=Response,
    responses={200: {"description": "The file, sent while it is read.", "content": FILES}, **problems(404, 406)},
)
async def export_job(  # what a client may say
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    only: Annotated[ResultFilter, Depends(result_filter)],
    format: Annotated[  # noqa: A002  # its name on the wire
        ExportFormat | None, Query(description="Without it, the header `Accept` decides; CSV where that is silent.")
    ] = None,
    content: Content = ExportContent.RESULTS,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,  # OpenAPI 3.1: `Accept` is no parameter,
) -> Response:
    """Send the results that are stored now, in the order of the images, as one file.

    `content=tiles` sends a row for each tile instead, as `ndjson` (the default then) or `parquet`; filters choose the
    photographs.
    `X-Phytobatch-Pending` counts the images that have no answer yet. 406 `not-acceptable` where `Accept` takes no
    format, 422 `limit-exceeded` for more rows than are sent directly, 422 `export-does-not-fit` for a shapefile
    over 2 GB or 255 fields.
    """
    chosen = choose(content, format, accept)
    place = services.waiting.take(caller.holder)
    try:
        started = await services.turns.run(caller.holder, begin, services, caller, job_id, content, chosen, only)
    except BaseException:
        place.give_back()
        raise
    next_piece = partial(services.turns.run, caller.holder, next, started.rest, None)
    return ExportResponse(started, chosen, place, next_piece)


@router.post(
    "/v1/jobs/{job_id}/exports",
    operation_id="create_export",
    summary="Create a background export",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ExportOut,
    responses=problems(404, 409),
)
def create_export(
    job_id: JobId,
    body: CreateExport,
    services: ServicesDep,
    caller: Reader,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Queue an export for a worker; poll `Location` until it is completed or failed.

    More than `PHYTOBATCH_MAX_EXPORTS_PER_JOB` exports of a job are 422 `limit-exceeded`.
    """
    settings = services.settings
    repeatable = RepeatableRequest(
        caller.tenant_id,
        idempotency_key,
        fingerprint(f"POST /v1/jobs/{job_id}/exports", body.model_dump(mode="json")),
    )
    with once(services.database, repeatable, keep_hours=settings.idempotency_key_hours) as ticket:
        if ticket.stored:
            return ticket.stored.replay()
        with services.database.begin() as session:
            job = jobs.lock_own_job(session, caller.tenant_id, job_id)
            max_exports = settings.max_exports_per_job
            export = exports.request(
                session, job, body.content, body.format, body.filters.only(), max_exports=max_exports
            )
            audit.record(
                session, caller.actor, Action.EXPORT_CREATE, export.id, tenant_id=caller.tenant_id, job_id=str(job_id)
            )
            out = export_out(export)
            ticket.complete(session, HTTPStatus.ACCEPTED, out.model_dump(mode="json"), location=export_path(export.id))
    services.waker.nudge()
    headers = {"Location": export_path(export.id), "Retry-After": str(settings.poll_after_seconds)}
    return answer(out, HTTPStatus.ACCEPTED, headers)


@router.get(
    "/v1/jobs/{job_id}/exports",
    operation_id="list_exports",
    summary="List the exports of a job",
    response_model=ExportPage,
    responses=problems(404),
)
def list_exports(
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    after: Annotated[uuid.UUID | None, Query(description="Cursor: `after` of the page before.")] = None,
    limit: Limit = DEFAULT,
) -> Response:
    """List the exports that are queued, running or kept, newest first, without download links."""
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        job = jobs.get_job(session, caller.tenant_id, job_id).job
        found, has_more = exports.list_exports(session, job, after=after, limit=limit)
    return answer(export_page(found, after=after, has_more=has_more))


@router.get(
    "/v1/exports/{export_id}",
    operation_id="get_export",
    summary="Get an export",
    response_model=ExportOut,
    responses=problems(404),
)
def get_export(export_id: ExportId, services: ServicesDep, caller: Reader) -> Response:
    """Return an export, with a fresh download link once it is completed.

    Until it is completed or failed, `Retry-After` says when to poll again.
    """
    with services.database.begin() as session:
        found, job_name = exports.get_export(session, caller.tenant_id, export_id)
    unfinished = found.state in UNFINISHED
    headers = {"Retry-After": str(services.settings.poll_after_seconds)} if unfinished else {}
    return answer(export_out(found, job_name, _signed(services, found, job_name)), headers=headers)


@router.delete(
    "/v1/exports/{export_id}",
    operation_id="delete_export",
    summary="Delete an export",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses={204: {"description": "Deleted; one that was running is given up."}, **problems(404)},
)
def delete_export(export_id: ExportId, services: ServicesDep, caller: Reader) -> Response:
    """Delete an export and its file; one that is running is given up."""
    _delete(services, caller, export_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _signed(services: Services, export: Export, job_name: str | None) -> PresignedGet | None:
    if export.object_key is None:
        return None
    return services.store.presign_get(
        export.object_key,
        seconds=services.settings.download_url_seconds,
        disposition=attachment(file_name(export, job_name)),
        media_type=FORMATS[ExportFormat(export.format)].media_type,
    )


def _delete(services: Services, caller: Caller, export_id: uuid.UUID) -> None:
    with services.database.begin() as session:
        found, _ = exports.get_export(session, caller.tenant_id, export_id)
    prefix = export_prefix(found.job_id, found.id)
    services.store.discard(prefix)
    with services.database.begin() as session:
        exports.remove(session, caller.tenant_id, export_id)
        audit.record(session, caller.actor, Action.EXPORT_DELETE, export_id, tenant_id=caller.tenant_id)
    if found.state in UNFINISHED:  # Its worker may have completed the file while the lease still held.
        services.store.discard(prefix)
