"""``/v1/jobs/{id}/images/{seq}/file``: the original, straight from the object store."""

import mimetypes
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import Path, Response

from api.answers import problems
from api.deps import JobId, Reader, ServicesDep
from api.exports.names import attachment, inline
from api.routing import Router
from shared.jobs.originals import find_original

router = Router(prefix="/v1/jobs", tags=["images"])

MAX_SEQ = 2**31 - 1
# Anything else is saved and never shown: what a client uploads must not run as a page of the object store.
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "image/gif"})
OTHER = "application/octet-stream"

FILES: dict[str, Any] = {
    one: {"schema": {"type": "string", "format": "binary", "examples": ["a picture"]}}
    for one in sorted({*SHOWN, OTHER})
}

Seq = Annotated[int, Path(ge=0, le=MAX_SEQ, description="Number of the image in its job.")]
Tile = Annotated[int, Path(ge=0, le=MAX_SEQ, description="The tile, counted from 0, rows first.")]


@router.get(
    "/{job_id}/images/{seq}/file",
    operation_id="get_image_file",
    summary="Download an image",
    status_code=HTTPStatus.TEMPORARY_REDIRECT,
    response_class=Response,
    responses={
        200: {"description": "The image, for a client that follows the redirect by itself.", "content": FILES},
        307: {"description": "`Location` is good for some minutes, and needs no key: do not send yours there."},
        **problems(404),
    },
)
def get_image_file(job_id: JobId, seq: Seq, services: ServicesDep, caller: Reader) -> Response:
    """Redirect to the original in the object store.

    The URL is good for 15 minutes and needs no key: do not send yours there. The object store answers 404 for an
    image that was never uploaded.
    """
    with services.database.begin() as session:
        original = find_original(session, caller.tenant_id, job_id, seq)
    name = PurePosixPath(original.name).name or f"{seq}"
    media_type = mimetypes.guess_type(name)[0]
    shown = media_type in SHOWN
    signed = services.store.presign_get(
        original.object_key,
        bucket=original.bucket,
        seconds=services.settings.download_url_seconds,
        disposition=inline(name) if shown else attachment(name),
        media_type=media_type if shown and media_type else OTHER,
    )
    return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": signed.url})
