"""``/docs`` and its files."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.manual.files import PAGE, static_file
from api.wire.etag import is_fresh
from shared.errors import NotFound

router = APIRouter(include_in_schema=False)

# A new version may bring other files: after a day a browser asks whether they are the same.
CACHED = "public, max-age=86400"


@router.get("/docs")
async def page() -> Response:
    """Return the page on which people try the API."""
    return Response(PAGE, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/docs/{name}")
def file(
    name: str, accept_encoding: Annotated[str, Header()] = "", if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return a file of the page."""
    static = static_file(name)
    if static is None:
        raise NotFound("there is no such file")
    headers = {"ETag": static.etag, "Cache-Control": CACHED, "Vary": "Accept-Encoding"}
    if is_fresh(if_none_match, static.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if "gzip" not in accept_encoding:
        return Response(static.content, media_type=static.media_type, headers=headers)
    return Response(static.compressed, media_type=static.media_type, headers={**headers, "Content-Encoding": "gzip"})
