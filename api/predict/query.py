"""The query string of ``POST /predict``: the settings of the job that is made of the image."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import ValidationError

from shared.contracts.job_request import ALWAYS_IN_CONTENT, ClassifierRef, ClassifierText, JobRequest
from shared.contracts.states import Priority
from shared.contracts.tiling import MAX_GROUND_RESOLUTION_MM, MIN_GROUND_RESOLUTION_MM, OnCoarse, TilingText, read_short
from shared.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Order:
    """The settings of one image, and its classifier as it was written."""

    classifier: str | None
    request: JobRequest

    @property
    def younger(self) -> dict[str, object]:
        """The settings that are younger than Idempotency-Keys, where they are used."""
        return {name: value for name, value in self.request.content().items() if name not in ALWAYS_IN_CONTENT}


async def order(  # a coroutine, because FastAPI calls what is none in a thread
    classifier: Annotated[ClassifierText | None, Query()] = None,
    tiling: Annotated[TilingText | None, Query()] = None,
    on_coarse: Annotated[
        OnCoarse, Query(description="With `tiling`: the treatment of a photograph that is too coarse.")
    ] = OnCoarse.SKIP,
    ground_resolution_mm: Annotated[
        float | None,
        Query(
            ge=MIN_GROUND_RESOLUTION_MM,
            le=MAX_GROUND_RESOLUTION_MM,
            description="With `tiling`: millimetres of plant in a pixel.",
        ),
    ] = None,
    explain: Annotated[  # noqa: FBT002  # FastAPI fills it in
        bool, Query(description="The answer says what speaks for the class, and where; see `explanation`.")
    ] = False,
) -> Order:
    """Read the query string.

    Raises:
        InvalidRequest: settings of tiles come without a tiling.
    """
    try:
        request = JobRequest(
            priority=Priority.INTERACTIVE,
            classifier=None if classifier is None else ClassifierRef.of(classifier),
            tiling=None if tiling is None else read_short(tiling),
            on_coarse=on_coarse,
            ground_resolution_mm=ground_resolution_mm,
            explain=explain,
        )
    except ValidationError as error:
        raise InvalidRequest(error.errors()[0]["msg"]) from error
    return Order(classifier, request)
