"""``/v1/jobs/{id}/events``: the events of a job while they happen."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Response

from api.answers import problems
from api.deps import JobId, Reader, ServicesDep
from api.routing import Router
from api.waiting.hub import Purpose
from api.waiting.stream import EventStream, cursor_of

router = Router(prefix="/v1/jobs", tags=["jobs"])

STREAM_EXAMPLE = """retry: 2000

event: job.started
data: {"type": "job.started", "timestamp": "2026-06-01T08:01:02Z", "data": {"job_id": "0192…", "revision": 12}}
id: 12

"""
# Of no `type`: the whole is text, and generic clients look at each event as an object.
STREAM = {"text/event-stream": {"schema": {"examples": [STREAM_EXAMPLE]}}}


@router.get(
    "/{job_id}/events",
    operation_id="stream_events",
    summary="Follow a job as server-sent events",
    response_class=Response,
    responses={
        200: {"description": "Server-sent events; the id is the job's revision.", "content": STREAM},
        204: {"description": "The job is over and `Last-Event-ID` names its last event: do not connect again."},
        **problems(404),
    },
)
async def stream_events(
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="Continue behind this event."),
    ] = None,
) -> Response:
    """Stream the events of a job, from its present state or from behind `Last-Event-ID`, until it is terminal.

    A client that connects again with the id of the terminal event gets 204.
    """
    watch = services.hub.watch(caller.holder, job_id, Purpose.EVENTS)
    try:
        snapshot = await watch.first()
        cursor = cursor_of(last_event_id, snapshot)
        if cursor.is_at_end(snapshot):
            watch.close()
            return Response(status_code=HTTPStatus.NO_CONTENT)
    except BaseException:
        watch.close()
        raise
    return EventStream(watch, snapshot, cursor, services.settings)
