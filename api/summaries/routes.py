"""``GET /v1/jobs/{id}/summary`` and ``GET /v1/jobs/{id}/grid``."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.answers import answer, problems
from api.deps import JobId, Reader, ServicesDep
from api.routing import Router
from api.summaries.schemas import (
    GridOut,
    SharesOut,
    SummaryOut,
    days_out,
    grid_out,
    groups_out,
    positions_out,
    shares_fields,
    uncertain_out,
)
from api.wire.jobs import Counts
from shared.classifiers.registry import manifest_of
from shared.contracts.manifest import HEALTHY
from shared.contracts.states import JobState
from shared.contracts.stored import Text
from shared.db.models import Job
from shared.errors import InvalidRequest
from shared.geography.metric import Origin
from shared.jobs import queries
from shared.jobs.progress import counts
from shared.jobs.results import classifier_of
from shared.summaries import shares
from shared.summaries.counting import Counting
from shared.summaries.grid import MAX_LATITUDE, grid
from shared.summaries.positions import positions
from shared.summaries.shares import MAX_KEYS
from shared.summaries.uncertain import least_certain

router = Router(prefix="/v1/jobs", tags=["summaries"])


class GeoJson(JSONResponse):
    """A response with the media type of RFC 7946, section 12."""

    media_type = "application/geo+json"


Healthy = Annotated[
    list[Text] | None,
    Query(max_length=MAX_KEYS, description="Labels that are no disease; the class `healthy`, where there is one."),
]


@router.get(
    "/{job_id}/summary",
    operation_id="summarise_job",
    summary="Summarise a job",
    response_model=SummaryOut,
    responses=problems(404),
)
def summarise_job(  # what a client may say
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    group_by: Annotated[
        list[Text] | None, Query(max_length=MAX_KEYS, description="Keys of the images' metadata, as `row`.")
    ] = None,
    time_zone: Annotated[Text, Query(description="Time zone of the days, as `Europe/Madrid`.")] = "UTC",
    healthy: Healthy = None,
) -> Response:
    """Return shares per class, group and day, positions, and the images to review first.

    The figures are those of now; a correction counts before the prediction. In a job with tiles shares count tiles.
    """
    _check_time_zone(time_zone)
    max_values = services.settings.max_summary_groups
    with services.database.begin() as session:
        job = queries.get_job(session, caller.tenant_id, job_id).job
        counting = _counting(session, job, healthy)
        well = counting.healthy
        return answer(
            SummaryOut(
                job_id=job.id,
                state=JobState(job.state),
                revision=job.revision,
                counts=Counts(**counts(job)),
                healthy=list(well),
                overall=SharesOut(**shares_fields(shares.overall(session, counting), well)),
                groups={
                    key: groups_out(shares.by_metadata(session, counting, key, max_values=max_values), well)
                    for key in dict.fromkeys(group_by or ())
                },
                time_zone=time_zone,
                days=days_out(shares.by_day(session, counting, time_zone=time_zone), well),
                positions=positions_out(positions(session, job_id)),
                uncertain=uncertain_out(least_certain(session, job_id)),
            )
        )


@router.get(
    "/{job_id}/grid",
    operation_id="grid_of_job",
    summary="Summarise a job in squares on the ground",
    response_class=GeoJson,
    response_model=GridOut,
    responses=problems(404),
)
def grid_of_job(  # what a client may say
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    edge: Annotated[float, Query(ge=0.1, le=100_000, allow_inf_nan=False, description="Of a square, in metres.")],
    origin: Annotated[
        str | None,
        Query(
            max_length=64,
            pattern=r"^[-+0-9.eE ]+,[-+0-9.eE ]+$",
            description="`longitude,latitude` of a corner of a square: the same one for several flights makes their "
            "grids comparable. The south-west corner of the job where it is left out.",
        ),
    ] = None,
    healthy: Healthy = None,
) -> Response:
    """Return the squares that have an image as GeoJSON (RFC 7946), with the shares of each.

    Edges are metres on the ground, not degrees.
    """
    begin = None if origin is None else _origin(origin)
    with services.database.begin() as session:
        job = queries.get_job(session, caller.tenant_id, job_id).job
        counting = _counting(session, job, healthy)
        squares = grid(session, counting, edge=edge, origin=begin, max_cells=services.settings.max_grid_cells)
        out = grid_out(squares, list(counting.healthy))
    return Response(out.model_dump_json(), media_type=GeoJson.media_type)


def _counting(session: Session, job: Job, healthy: list[str] | None) -> Counting:
    """Begin to count; healthy are the labels of the request, or the class of that name."""
    classifier = classifier_of(session, job)
    labels = () if classifier is None else manifest_of(classifier).labels
    well = tuple(dict.fromkeys(healthy or ())) or tuple({HEALTHY}.intersection(labels))
    return Counting.of(session, job, labels=labels, healthy=well)


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest(f"time_zone: {name!r} is none; name one as Europe/Madrid or UTC") from error


def _origin(text: str) -> Origin:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidRequest(f"origin: {text!r} is not `longitude,latitude` in degrees, as 7.84,47.99") from error
    # Written so that NaN is refused too.
    if not (abs(latitude) <= MAX_LATITUDE and abs(longitude) <= 180):  # noqa: PLR2004  # half a turn
        raise InvalidRequest(f"origin: {text!r} is no place for a grid; longitude comes first")
    return Origin(latitude, longitude)
