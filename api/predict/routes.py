"""``POST /predict``: one image."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Response

from api.answers import answer, problems
from api.deps import IdempotencyKeyHeader, ServicesDep, Submitter
from api.errors import problem
from api.idempotency import REPLAYED
from api.multipart.form import Limits, received
from api.predict.query import Order, order
from api.predict.schemas import REQUEST_BODY, Prediction, PredictionLinks
from api.predict.submit import ImageNotReadable, submit_image, wait_for_answer
from api.results.schemas import DIGITS, ResultWriter, tile_sums_out
from api.routing import Router
from api.tiles.schemas import image_tiles
from api.wire.jobs import JobOut, job_out
from shared.contracts.explanations import cells_of
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from shared.db.models import Result
from shared.errors import Conflict
from shared.jobs.queries import Answer

router = Router(tags=["predict"])

PERCENT = 100
PERCENT_DIGITS = DIGITS - 2


@router.post(
    "/predict",
    operation_id="predict",
    summary="Classify one image now",
    response_model=Prediction,
    responses={202: {"model": JobOut, "description": "The wait is over; poll the job."}, **problems(404, 409, 413)},
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def predict(
    request: Request,
    services: ServicesDep,
    caller: Submitter,
    wanted: Annotated[Order, Depends(order)],
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Classify one image and return the answer.

    With `tiling`, in its short form, the answer has the sums of its tiles and their map, and `predicted_class` is
    `null` where they decide nothing.

    An image that cannot be read is 422 `image-not-readable` with its error code as `error_code`. When the wait is
    over first, the answer is 202 with the job.
    """
    limits = Limits(files=1, file_bytes=services.settings.max_image_bytes)
    try:
        async with received(request, limits) as form:
            job_id, replayed = await services.turns.run(
                caller.holder, submit_image, services, caller, form, wanted, idempotency_key
            )
        outcome = await wait_for_answer(services, caller, job_id, request)
        response = _response(outcome, poll_after=services.settings.poll_after_seconds)
    except ImageNotReadable as error:
        return problem(
            request,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            error.code,
            str(error),
            title="The image cannot be classified",
            error_code=error.error_code,
        )
    if replayed:
        response.headers[REPLAYED] = "true"
    return response


def _response(outcome: Answer, *, poll_after: int) -> Response:
    """Answer 200 with the prediction, 202 with the job, or the reason why there is none."""
    if outcome.result is None:
        if outcome.job.error_code is not None:
            raise Conflict(f"the job of this image failed: {outcome.job.error_detail}", code="job-failed")
        job = job_out(outcome.job, outcome.classifier, None)
        return answer(job, HTTPStatus.ACCEPTED, {"Location": job.links.self, "Retry-After": str(poll_after)})
    if outcome.result.status == ImageStatus.CANCELED:
        raise Conflict("the job of this image was canceled; send it again", code="job-canceled")
    if outcome.result.status != ImageStatus.SUCCEEDED:
        raise ImageNotReadable(
            outcome.result.error_detail or "the image cannot be classified",
            error_code=str(outcome.result.error_code),
        )
    return answer(_prediction(outcome, outcome.result))


def _prediction(outcome: Answer, result: Result) -> Prediction:
    """Make the prediction. Whoever asks for the answer of a whole photograph always gets a class and its numbers."""
    by_tiles = outcome.map is not None
    confidence, probabilities = result.confidence, ResultWriter(outcome.classifier).probabilities(result.probabilities)
    return Prediction(
        predicted_class=result.label if by_tiles else str(result.label),
        confidence=None if confidence is None else round(PERCENT * confidence, PERCENT_DIGITS),
        probabilities=probabilities if by_tiles else probabilities or {},
        needs_review=bool(result.needs_review),
        review_reason=None if result.review_reason is None else ReviewReason(result.review_reason),
        crop=result.crop,
        tiles=None if result.tile_sums is None else tile_sums_out(result.tile_sums),
        tiles_map=None if outcome.map is None else image_tiles(result.seq, outcome.map),
        explanation=None if result.explanation is None else cells_of(result.explanation),
        job_id=outcome.job.id,
        links=PredictionLinks.of(outcome.job.id),
    )
