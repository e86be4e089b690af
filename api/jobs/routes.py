"""``/v1/jobs``: parse, authorise, one call, answer."""

import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Query, Request, Response

from api.answers import answer, problems
from api.auth import Caller
from api.deps import IdempotencyKeyHeader, JobId, Reader, ServicesDep, Submitter
from api.idempotency import RepeatableRequest, Stored, fingerprint, once
from api.jobs import submit
from api.jobs.schemas import AddedImages, AddImages, CreateJob
from api.jobs.upload import REQUEST_BODY, submit_upload
from api.multipart.form import Limits, received
from api.pages import DEFAULT, Limit, check_limit
from api.receipts.schemas import receipt_path
from api.routing import Router
from api.services import Services
from api.waiting.answer import Patience, check_wait, wait_for
from api.waiting.snapshot import Snapshot
from api.wire.etag import is_fresh
from api.wire.jobs import JobOut, JobPage, job_out, job_page
from shared import audit
from shared.contracts.audit import Action
from shared.contracts.states import TERMINAL_STATES, JobState
from shared.jobs import lifecycle, queries
from shared.jobs.cut import ChunkSizes
from shared.jobs.progress import counts
from shared.jobs.results import classifier_of
from shared.limits import quotas
from shared.limits.quotas import Quotas
from shared.tracing import span
from shared.webhooks.per_job import url_of

router = Router(prefix="/v1/jobs", tags=["jobs"])

# Whoever asks must ask again, with the ETag: an answer is good for this client and this moment.
POLLED = {"Cache-Control": "private, no-cache"}

Wait = Annotated[
    float,
    Query(
        ge=0,
        allow_inf_nan=False,
        description="Hold the answer back until the job differs from `If-None-Match`, or, without that, is over; "
        "at most for so many seconds.",
    ),
]


@router.post(
    "",
    operation_id="create_job",
    summary="Create a job",
    status_code=HTTPStatus.CREATED,
    response_model=JobOut,
    responses={202: {"model": JobOut, "description": "With a source: committed at once."}, **problems(409, 413)},
)
def create_job(
    body: CreateJob, services: ServicesDep, caller: Submitter, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Create a draft that waits for its images.

    Answers 201 with `Location` and the job in `draft`. With `source`, a bucket and prefix of S3, the job takes its
    images from there, is `validating` at once and the status is 202; 403 `source-not-allowed` where the prefix lies
    outside of the tenant's list.
    """
    repeatable = RepeatableRequest(caller.tenant_id, idempotency_key, fingerprint("POST /v1/jobs", body.content()))
    with once(services.database, repeatable, keep_hours=services.settings.idempotency_key_hours) as ticket:
        if ticket.stored:
            return ticket.stored.replay()
        status, job = submit.create(services, caller, body, ticket)
    return answer(job, status, {"Location": job.links.self})


@router.post(
    "/upload",
    operation_id="upload_job",
    summary="Create, upload and commit a small job in one call",
    status_code=HTTPStatus.ACCEPTED,
    response_model=JobOut,
    responses=problems(409, 413),
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def upload_job(
    request: Request, services: ServicesDep, caller: Submitter, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Create a job from the files of a form, and commit it.

    Answers with `Location` and the job. When anything fails, nothing is left of it. The file names are the names of
    the images, so no two are the same. Files named `geo.txt` and `images.csv` are no images but sidecars: they say
    where the others were taken. Larger jobs go to presigned URLs.
    """
    settings = services.settings
    limits = Limits(
        files=settings.max_multipart_files,
        files_setting="PHYTOBATCH_MAX_MULTIPART_FILES",
        file_bytes=settings.max_image_bytes,
    )
    async with received(request, limits) as form:
        done = await services.turns.run(caller.holder, submit_upload, services, caller, form, idempotency_key)
    if isinstance(done, Stored):
        return done.replay()
    return answer(done, HTTPStatus.ACCEPTED, {"Location": done.links.self})


@router.get("", operation_id="list_jobs", summary="List jobs", response_model=JobPage, responses=problems())
def list_jobs(
    services: ServicesDep,
    caller: Reader,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
    after: Annotated[uuid.UUID | None, Query(description="Cursor: `after` of the page before.")] = None,
    limit: Limit = DEFAULT,
) -> Response:
    """List the jobs of the tenant, newest first."""
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        rows, has_more = queries.list_jobs(
            session,
            caller.tenant_id,
            state=state,
            after=after,
            limit=limit,
            max_bytes=services.settings.max_page_bytes,
        )
    return answer(job_page(rows, after=after, has_more=has_more))


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="Get a job",
    response_model=JobOut,
    responses={304: {"description": "Nothing has changed since the ETag."}, **problems(404)},
)
async def get_job(  # what a client may say
    request: Request,
    job_id: JobId,
    services: ServicesDep,
    caller: Reader,
    wait: Wait = 0,
    if_none_match: Annotated[str | None, Header(description="`ETag` of the answer that the client has.")] = None,
) -> Response:
    """Return the state, the counts and the progress of a job.

    The answer has an `ETag`; `If-None-Match` with it is answered 304 while nothing has changed. While the job is
    not terminal, `Retry-After` says when to poll again. With `wait`, the answer comes as soon as the job differs
    from `If-None-Match`, or, without that header, as soon as it is terminal; at the latest after so many seconds,
    with 304 or with the job as it is.
    """
    check_wait(wait, max_seconds=services.settings.max_wait_seconds)
    if wait:
        patience = Patience(wait, if_none_match)
        snapshot = await wait_for(services.hub, request, caller.holder, job_id, patience)
    else:
        snapshot = Snapshot(await services.turns.run(caller.holder, _read, services, caller, job_id))
    headers = {"ETag": snapshot.etag, **POLLED}
    if not snapshot.is_over:
        headers["Retry-After"] = str(services.settings.poll_after_seconds)
    if is_fresh(if_none_match, snapshot.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(snapshot.text(), headers=headers, media_type="application/json")


def _read(services: Services, caller: Caller, job_id: uuid.UUID) -> queries.JobDetail:
    with services.database.begin() as session:
        return queries.get_job(session, caller.tenant_id, job_id)


@router.post(
    "/{job_id}/images",
    operation_id="add_images",
    summary="Name images and get their upload URLs",
    response_model=AddedImages,
    responses=problems(404, 409, 413),
)
def add_images(job_id: JobId, body: AddImages, services: ServicesDep, caller: Submitter) -> Response:
    """Add up to 1,000 images to a draft, and return their numbers and upload URLs in the same order.

    Send the headers of each upload exactly. The same name with the same size and sha256 gets the same `seq` and a
    fresh URL: this is how an expired URL is renewed. The same name with other content is 409 `image-name-taken`;
    after the commit every call is 409 `job-not-draft`.
    """
    return answer(AddedImages(images=submit.name_images(services, caller, job_id, body.images)))


@router.post(
    "/{job_id}/commit",
    operation_id="commit_job",
    summary="Commit a draft",
    status_code=HTTPStatus.ACCEPTED,
    response_model=JobOut,
    responses=problems(404, 409),
)
def commit_job(job_id: JobId, services: ServicesDep, caller: Submitter) -> Response:
    """Validate a draft whose images are uploaded, and put it into the queue.

    Repeating it is harmless. A draft without images is 409 `job-empty`.
    """
    job = submit.commit(services, caller, job_id)
    return answer(job, HTTPStatus.ACCEPTED, {"Location": job.links.self})


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    response_model=JobOut,
    responses={202: {"model": JobOut, "description": "A worker still works on it."}, **problems(404)},
)
def cancel_job(job_id: JobId, services: ServicesDep, caller: Submitter) -> Response:
    """Cancel a job; finished results stay.

    Answers 202 while chunks still run (`canceling`), and 200 once the job is terminal. Repeating it is harmless.
    """
    with services.database.begin() as session:
        queries.lock_own_job(session, caller.tenant_id, job_id)
        job = lifecycle.cancel(session, job_id)
        audit.record(session, caller.actor, Action.JOB_CANCEL, job_id, tenant_id=caller.tenant_id)
        out = job_out(job, classifier_of(session, job), url_of(session, job))
    return answer(out, HTTPStatus.OK if out.state in TERMINAL_STATES else HTTPStatus.ACCEPTED)


@router.post(
    "/{job_id}/retry",
    operation_id="retry_job",
    summary="Retry the failed images of a job",
    status_code=HTTPStatus.ACCEPTED,
    response_model=JobOut,
    responses=problems(404, 409),
)
def retry_job(job_id: JobId, services: ServicesDep, caller: Submitter) -> Response:
    """Run the failed images of a terminal job again; results that stand are kept.

    Answers with `Location` and the job. The run ends with a terminal event of its own. 409 `job-active` while the
    job runs, `nothing-to-retry` where nothing failed, `originals-removed` once retention has removed the uploads.
    """
    with services.database.begin() as session:
        quota = quotas.lock_tenant(session, caller.tenant_id, Quotas.of(services.settings))
        before = queries.lock_own_job(session, caller.tenant_id, job_id)
        with span("retry job", parent=before.traceparent, attributes={"phytobatch.job_id": str(job_id)}):
            job = lifecycle.retry(session, job_id, sizes=ChunkSizes.of(services.settings))
        quota.check(jobs=1, images=counts(job)["pending"])
        audit.record(session, caller.actor, Action.JOB_RETRY, job_id, tenant_id=caller.tenant_id)
        out = job_out(job, classifier_of(session, job), url_of(session, job))
    services.waker.nudge()
    return answer(out, HTTPStatus.ACCEPTED, {"Location": out.links.self})


@router.delete(
    "/{job_id}",
    operation_id="delete_job",
    summary="Delete a job",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    responses={
        202: {"description": "Invisible now; objects and rows are removed soon after. `Location`: the receipt."},
        **problems(404, 409),
    },
)
def delete_job(job_id: JobId, services: ServicesDep, caller: Submitter) -> Response:
    """Delete a draft or a terminal job with its images and results.

    The job is invisible at once; objects and rows are removed soon after. `Location` is the receipt. 409
    `job-active` while the job runs: cancel it first.
    """
    with services.database.begin() as session:
        queries.lock_own_job(session, caller.tenant_id, job_id)
        receipt_id = lifecycle.delete(session, job_id, by=caller.key_name)
        audit.record(session, caller.actor, Action.JOB_DELETE, job_id, tenant_id=caller.tenant_id)
    services.waker.nudge()
    return Response(status_code=HTTPStatus.ACCEPTED, headers={"Location": receipt_path(receipt_id)})
