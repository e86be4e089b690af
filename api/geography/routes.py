"""``/v1/jobs/{id}/sidecar``: what a file beside the images says of them."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from api.answers import answer, problems
from api.deps import JobId, ServicesDep, Submitter
from api.geography.schemas import SidecarReport
from api.geography.sidecar import take_sidecar
from api.routing import Router
from shared.contracts import stored
from shared.contracts.stored import NAME_LENGTH
from shared.errors import InvalidRequest

router = Router(prefix="/v1/jobs", tags=["geography"])


def _text(example: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "minLength": 1, "examples": [example]}}


REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "text/csv": _text("filename,latitude,longitude,row\nDJI_0007.JPG,41.6532,0.6187,7\n"),
        "text/plain": _text("EPSG:4326\nDJI_0007.JPG 0.6187 41.6532 226.5\n"),
    },
}


async def whole_body(request: Request) -> bytes:
    """Return the body as it came; the middleware bounds it."""
    return await request.body()


def folder_of(
    folder: Annotated[
        str,
        Query(
            max_length=NAME_LENGTH,
            description="Prefix of the names of the images in the file, as `east/`.",
        ),
    ] = "",
) -> str:
    """Read the beginning of names.

    Raises:
        InvalidRequest: it cannot be the beginning of a name.
    """
    try:
        return stored.text(folder)
    except ValueError as error:
        raise InvalidRequest(f"folder {error}") from error


@router.put(
    "/{job_id}/sidecar",
    operation_id="put_sidecar",
    summary="Set the positions of a draft's images from a file",
    response_model=SidecarReport,
    responses=problems(404, 409, 413),
    openapi_extra={"requestBody": REQUEST_BODY},
)
def put_sidecar(
    job_id: JobId,
    services: ServicesDep,
    caller: Submitter,
    body: Annotated[bytes, Depends(whole_body)],
    folder: Annotated[str, Depends(folder_of)],
) -> Response:
    """Read a `geo.txt` (OpenDroneMap) or a CSV file: positions and metadata of the images named so far.

    A position that the client gave with an image stays. A line that cannot be read is 422 `sidecar-invalid`, which
    names it. Sending the same file again changes nothing.
    """
    return answer(take_sidecar(services, caller, job_id, body, folder), HTTPStatus.OK)
