"""``/v1/jobs/{id}/images/{seq}/tiles``: the map of an image, and why a tile of it has its label."""

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Request, Response

from api.answers import answer, problems
from api.deps import JobId, Reader, ServicesDep
from api.errors import problem
from api.images.routes import Seq, Tile
from api.routing import Router
from api.tiles.explain import TileExplanationOut, TileQuestion, explanation_out, explanation_path
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


@router.get(
    "/{job_id}/images/{seq}/tiles/{tile}/explanation",
    operation_id="explain_tile",
    summary="Say why a tile has its label",
    response_model=TileExplanationOut,
    responses={
        202: {"model": TileExplanationOut, "description": "The wait is over; ask again after `Retry-After`."},
        **problems(404, 409),
    },
)
async def explain_tile(
    job_id: JobId, seq: Seq, tile: Tile, request: Request, services: ServicesDep, caller: Reader
) -> Response:
    """Return the class activation map of a tile: what speaks for its label, and where.

    It is made from the photograph when it is asked for, as `POST /predict` is answered, and forgotten some minutes
    later. When the wait is over first, the answer is 202 with `Retry-After`: the same request gets it then.

    404 `no-tiles` for an image that was answered as a whole; 404 `no-explanation` for a tile that was skipped, or a
    classifier that has no map; 422 for a tile that the image does not have; 409 `originals-removed` where
    retention has removed the photograph; 422 `image-not-readable` with its `error_code` where it cannot be read.
    """
    asked = await TileQuestion(services, caller, job_id, seq, tile).answer(request)
    if asked.error_code is not None:
        detail, title = asked.error_detail or "the photograph cannot be read", "The tile cannot be explained"
        status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "image-not-readable"
        return problem(request, status, code, detail, title=title, error_code=asked.error_code)
    found = explanation_out(seq, tile, asked)
    if asked.explanation is not None:
        return answer(found)
    headers = {
        "Location": explanation_path(job_id, seq, tile),
        "Retry-After": str(services.settings.poll_after_seconds),
    }
    return answer(found, HTTPStatus.ACCEPTED, headers)
