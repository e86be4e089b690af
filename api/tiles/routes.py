"""``/v1/jobs/{id}/images/{seq}/tiles``: the map of an image."""

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Response

from api.answers import answer, problems
from api.deps import JobId, Reader, ServicesDep
from api.images.routes import Seq
from api.routing import Router
from api.tiles.schemas import ImageTiles, image_tiles
from api.wire.etag import is_fresh
from shared.tiles.stored import find_map

router = Router(prefix="/v1/jobs", tags=["results"])

HEADERS = {"Cache-Control": "private, no-cache"}


@router.get(
    "/{job_id}/images/{seq}/tiles",
    operation_id="get_image_tiles",
    summary="Get the tiles of an image",
    response_model=ImageTiles,
    responses={304: {"description": "Nothing has changed since the ETag."}, **problems(404)},
)
def get_image_tiles(
    job_id: JobId,
    seq: Seq,
    services: ServicesDep,
    caller: Reader,
    # For caches: a map that is there never changes, so no program needs to ask again.
    if_none_match: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Return the answer of each tile of an image, rows first.

    Boxes are in pixels of the upright original: of the tile in row r and column c, left `x[c]`, top `y[r]`, right and
    bottom `edge` further, but no further than the image. 404 `no-tiles` for an image that was answered as a whole,
    or that has no answer (yet): the sentence says which. A map never changes; the answer has an `ETag`
    for caches.
    """
    with services.database.begin() as session:
        found = find_map(session, caller.tenant_id, job_id, seq)
        headers = {"ETag": f'W/"{hashlib.sha256(found.map).hexdigest()[:32]}"', **HEADERS}
        if is_fresh(if_none_match, headers["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        tiles = image_tiles(seq, found)
    return answer(tiles, headers=headers)
