"""``/v1/jobs/{id}/corrections`` and the ``correction`` of an image and of a tile."""

import uuid
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

from api.answers import answer, problems
from api.auth import Caller
from api.corrections.schemas import (
    TABLE_EXAMPLE,
    CorrectionOut,
    CorrectionPage,
    Imported,
    Person,
    PutCorrection,
    correction_out,
    correction_page,
)
from api.deps import JobId, Reader, ServicesDep, Submitter
from api.images.routes import MAX_SEQ, Seq, Tile
from api.pages import DEFAULT, Limit, check_limit
from api.routing import Router
from api.services import Services
from shared import audit
from shared.contracts.audit import Action
from shared.corrections import reading, store, table
from shared.corrections.reading import CURSOR, START, Cursor
from shared.corrections.store import NewCorrection
from shared.errors import InvalidRequest
from shared.jobs import queries

router = Router(prefix="/v1/jobs", tags=["corrections"])

MEDIA_TYPE = "text/csv"
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "examples": [TABLE_EXAMPLE]}}},
}


IMAGE = "/{job_id}/images/{seq}/correction"
TILE = "/{job_id}/images/{seq}/tiles/{tile}/correction"

By = Annotated[Person | None, Query(description="The person whose correction is taken back; everybody's if left out.")]
After = Annotated[str, Query(pattern=f"^{CURSOR.pattern}$", description="Cursor: `after` of the page before.")]


@router.put(
    IMAGE,
    operation_id="put_correction",
    summary="Correct the label of an image",
    response_model=CorrectionOut,
    responses=problems(404),
)
def put_correction(job_id: JobId, seq: Seq, body: PutCorrection, services: ServicesDep, caller: Submitter) -> Response:
    """Store a person's label for an image; it counts from now on.

    The prediction stays, and so do earlier corrections, in the history: the latest of each person stands, and of those
    that stand the latest counts. `corrected_by` is the name of the API key unless the request names somebody. Repeating
    it is harmless.
    """
    return answer(_put(services, caller, job_id, seq, None, body))


@router.put(
    TILE,
    operation_id="put_tile_correction",
    summary="Correct the label of a tile",
    response_model=CorrectionOut,
    responses=problems(404),
)
def put_tile_correction(
    job_id: JobId, seq: Seq, tile: Tile, body: PutCorrection, services: ServicesDep, caller: Submitter
) -> Response:
    """Store a person's label for a tile of an image, as for an image.

    404 `no-tiles` for an image that was answered as a whole; 422 for a tile that it does not have.
    """
    return answer(_put(services, caller, job_id, seq, tile, body))


@router.delete(
    IMAGE,
    operation_id="delete_correction",
    summary="Take back a correction",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses={204: {"description": "It is taken back."}, **problems(404)},
)
def delete_correction(
    job_id: JobId, seq: Seq, services: ServicesDep, caller: Submitter, corrected_by: By = None
) -> Response:
    """Take back the correction of an image: that of the person `corrected_by`, or everybody's.

    With a person, the latest that still stands of the others counts again; without, none is left. It stays in the
    history. Repeating it is harmless.
    """
    return _take_back(services, caller, job_id, seq, None, corrected_by)


@router.delete(
    TILE,
    operation_id="delete_tile_correction",
    summary="Take back a correction of a tile",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses={204: {"description": "It is taken back."}, **problems(404)},
)
def delete_tile_correction(
    job_id: JobId, seq: Seq, tile: Tile, services: ServicesDep, caller: Submitter, corrected_by: By = None
) -> Response:
    """Take back the correction of a tile, as of an image.

    404 `no-tiles` for an image that was answered as a whole; 422 for a tile that it does not have.
    """
    return _take_back(services, caller, job_id, seq, tile, corrected_by)


def _put(
    services: Services, caller: Caller, job_id: uuid.UUID, seq: int, tile: int | None, body: PutCorrection
) -> CorrectionOut:
    new = NewCorrection(seq, body.label, body.note, body.corrected_by or caller.key_name, tile)
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        store.check_place(session, job, seq, tile)
        store.write(session, job, [new])
        _record(session, caller, Action.CORRECTION_PUT, job_id, seq, tile)
        return correction_out(job_id, reading.read_valid(session, job_id, seq, tile))


def _take_back(
    services: Services, caller: Caller, job_id: uuid.UUID, seq: int, tile: int | None, corrected_by: str | None
) -> Response:
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        store.check_place(session, job, seq, tile)
        store.take_back(session, job, seq, tile=tile, corrected_by=corrected_by)
        _record(session, caller, Action.CORRECTION_DELETE, job_id, seq, tile)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _record(session: Session, caller: Caller, action: Action, job_id: uuid.UUID, seq: int, tile: int | None) -> None:
    place = {"seq": seq} if tile is None else {"seq": seq, "tile": tile}
    audit.record(session, caller.actor, action, job_id, tenant_id=caller.tenant_id, **place)


@router.get(
    "/{job_id}/corrections",
    operation_id="list_corrections",
    summary="List corrections",
    response_model=CorrectionPage,
    responses=problems(404),
)
def list_corrections(
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    seq: Annotated[int | None, Query(ge=0, le=MAX_SEQ, description="Only those of this image.")] = None,
    history: Annotated[bool, Query(description="Every entry: earlier ones and takings back, too.")] = False,  # noqa: FBT002
    after: After = str(START),
    limit: Limit = DEFAULT,
) -> Response:
    """List the corrections that count, in the order of the images and their tiles, each with the prediction.

    `history` lists what every person said of a place, the oldest first.
    """
    check_limit(limit, services.settings)
    begin = Cursor.parse(after)
    with services.database.begin() as session:
        queries.get_job(session, caller.tenant_id, job_id)
        rows = reading.read_corrections(session, job_id, after=begin, limit=limit + 1, seq=seq, history=history)
    page = correction_page(job_id, rows[:limit], after=begin, history=history, has_more=len(rows) > limit)
    return answer(page)


@router.post(
    "/{job_id}/corrections",
    operation_id="import_corrections",
    summary="Import corrections from a table",
    response_model=Imported,
    responses=problems(404, 413),
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def import_corrections(request: Request, job_id: JobId, services: ServicesDep, caller: Submitter) -> Response:
    """Store the corrections of a CSV table with `name` or `seq`, `tile` for those of tiles, and `label`; all or none.

    422 `rows-invalid` names the lines that make no sense.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != MEDIA_TYPE:
        raise InvalidRequest(f"send the table as {MEDIA_TYPE}, this body is {content_type or 'without a Content-Type'}")
    body = await request.body()
    return answer(await services.turns.run(caller.holder, _import, services, caller, job_id, body))


def _import(services: Services, caller: Caller, job_id: uuid.UUID, body: bytes) -> Imported:
    lines = table.parse(body)
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        new = table.resolve(session, job, lines, corrected_by=caller.key_name)
        changed = store.write(session, job, new) if new else 0
        audit.record(
            session, caller.actor, Action.CORRECTION_IMPORT, job_id, tenant_id=caller.tenant_id, changed=changed
        )
    return Imported(corrections=len(new), changed=changed)
