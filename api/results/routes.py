"""``/v1/jobs/{id}/results``: every result exactly once, also while the job runs."""

from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Response

from api.answers import answer, problems
from api.deps import JobId, Reader, ServicesDep
from api.pages import DEFAULT, Limit, check_limit
from api.results.schemas import JobStatus, ResultPage, ResultWriter
from api.routing import Router
from api.wire.jobs import Counts
from shared.contracts.geography import PlaceFilter
from shared.contracts.states import ImageStatus, JobState
from shared.jobs import queries
from shared.jobs.progress import counts
from shared.jobs.results import ResultFilter, classifier_of, read_results

router = Router(prefix="/v1/jobs", tags=["results"])


class FinalStatus(StrEnum):
    """A pending image has no result."""

    SUCCEEDED = ImageStatus.SUCCEEDED
    FAILED = ImageStatus.FAILED
    REJECTED = ImageStatus.REJECTED
    CANCELED = ImageStatus.CANCELED


async def result_filter(  # a coroutine, because FastAPI calls what is none in a thread
    status: Annotated[FinalStatus | None, Query(description="Only results with this status.")] = None,
    label: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Class id.")] = None,
    place: Annotated[PlaceFilter | None, Query(description="Only results with a position, or without one.")] = None,
) -> ResultFilter:
    """Make the filter of the results that a client asks for."""
    return ResultFilter(status=None if status is None else ImageStatus(status), label=label, place=place)


@router.get(
    "/{job_id}/results",
    operation_id="list_results",
    summary="List results",
    response_model=ResultPage,
    responses=problems(404),
)
def list_results(
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    only: Annotated[ResultFilter, Depends(result_filter)],
    after: Annotated[int, Query(ge=0, lt=2**63, description="Cursor: `after` of the page before.")] = 0,
    limit: Limit = DEFAULT,
) -> Response:
    """List results in the order in which they were stored, also while the job runs.

    A reader that keeps `after` reads every result exactly once.
    """
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        # The job first: when it was over before the results were read, they are all there.
        job = queries.get_job(session, caller.tenant_id, job_id).job
        writer = ResultWriter(classifier_of(session, job))
        room = writer.room(services.settings.max_page_bytes)
        page, has_more = read_results(session, job_id, after=after, limit=limit, only=only, room=room)
    return answer(
        ResultPage(
            results=[writer.write(row) for row in page],
            after=str(page[-1].position if page else after),
            has_more=has_more,
            job=JobStatus(state=JobState(job.state), counts=Counts(**counts(job))),
        )
    )
