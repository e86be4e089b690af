"""``/v1/jobs/{id}/corrections`` and ``/v1/jobs/{id}/images/{seq}/correction``."""

import uuid
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Request, Response

from api.answers import answer, problems
from api.auth import Caller
from api.corrections.schemas import (
    TABLE_EXAMPLE,
    CorrectionOut,
    CorrectionPage,
    Imported,
    PutCorrection,
    correction_out,
    correction_page,
)
from api.deps import JobId, Reader, ServicesDep, Submitter
from api.images.routes import MAX_SEQ, Seq
from api.pages import DEFAULT, Limit, check_limit
from api.routing import Router
from api.services import Services
from shared import audit
from shared.contracts.audit import Action
from shared.corrections import store, table
from shared.corrections.store import NewCorrection
from shared.errors import InvalidRequest
from shared.jobs import queries

router = Router(prefix="/v1/jobs", tags=["corrections"])

MEDIA_TYPE = "text/csv"
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "examples": [TABLE_EXAMPLE]}}},
}


@router.put(
    "/{job_id}/images/{seq}/correction",
    operation_id="put_correction",
    summary="Correct the label of an image",
    response_model=CorrectionOut,
    responses=problems(404),
)
def put_correction(job_id: JobId, seq: Seq, body: PutCorrection, services: ServicesDep, caller: Submitter) -> Response:
    """Store a person's label for an image; it replaces an earlier correction.

    The prediction stays. `corrected_by` is the name of the API key unless the request names somebody. Repeating it
    is harmless.
    """
    new = NewCorrection(seq, body.label, body.note, body.corrected_by or caller.key_name)
    with services.database.begin() as session:
        job = queries.lock_own_job(session, caller.tenant_id, job_id)
        store.check_image(session, job, seq)
        store.write(session, job, [new])
        audit.record(session, caller.actor, Action.CORRECTION_PUT, job_id, tenant_id=caller.tenant_id, seq=seq)
        (row,) = store.read_corrections(session, job_id, limit=1, seq=seq)
        out = correction_out(job_id, row)
    return answer(out)


@router.delete(
    "/{job_id}/images/{seq}/correction",
    operation_id="delete_correction",
    summary="Delete a correction",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses={204: {"description": "There is none now."}, **problems(404)},
)
def delete_correction(job_id: JobId, seq: Seq, services: ServicesDep, caller: Submitter) -> Response:
    """Delete the correction of an image.

    Repeating it is harmless.
    """
    with services.database.begin() as session:
        store.remove(session, queries.lock_own_job(session, caller.tenant_id, job_id), seq)
        audit.record(session, caller.actor, Action.CORRECTION_DELETE, job_id, tenant_id=caller.tenant_id, seq=seq)
    return Response(status_code=HTTPStatus.NO_CONTENT)


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
    after: Annotated[int, Query(ge=-1, le=MAX_SEQ, description="Cursor: `after` of the page before.")] = -1,
    limit: Limit = DEFAULT,
) -> Response:
    """List corrections in the order of the images, each with the prediction; `after` is a `seq`."""
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        queries.get_job(session, caller.tenant_id, job_id)
        rows = store.read_corrections(session, job_id, after=after, limit=limit + 1)
        page = correction_page(job_id, rows[:limit], after=after, has_more=len(rows) > limit)
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
    """Store the corrections of a CSV table with `name` or `seq`, and `label`; all lines or none.

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
