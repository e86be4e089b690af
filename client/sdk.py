"""``Phytobatch``: one method for each call of ``docs/http-api.md``."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from client import configuration, multipart
from client.errors import Problem, ServerUnavailable
from client.polling import Poll, wait_until_terminal
from client.pools import Pools
from client.resources import (
    ClassifierRef,
    ImageSpec,
    Job,
    JsonObject,
    Model,
    Page,
    Prediction,
    Result,
    ResultPage,
    UploadTarget,
)
from client.retry import RetryPolicy
from client.transport import IDEMPOTENCY_HEADER, Answer, OnRetry, Request, Transport
from client.uploads import Progress, put_file

MAX_IMAGES_PER_CALL = 1000
RESULTS_PER_PAGE = 1000
JOBS_PER_PAGE = 100


class Phytobatch:
    """A connection to one server with one key; thread-safe.

    Every method raises ``NetworkError`` when no answer arrives and a kind of ``ApiError`` when the server refuses.
    Calls that may be repeated safely are repeated within ``retry.total_seconds``.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        retry: RetryPolicy | None = None,
        on_retry: OnRetry | None = None,
        connections: int = 16,
    ) -> None:
        """Connect lazily. ``url`` and ``api_key`` default to ``PHYTOBATCH_URL`` and ``PHYTOBATCH_API_KEY``.

        Raises:
            ConfigurationError: no key, or an address that has no sense.
        """
        key = api_key or configuration.api_key()
        pools = Pools(connections=connections)
        policy = retry or RetryPolicy()
        self._transport = Transport(configuration.base_url(url), key, pools, policy, on_retry=on_retry)

    def __repr__(self) -> str:
        return f"Phytobatch({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.base_url

    def close(self) -> None:
        """Close idle connections; the object stays usable."""
        self._transport.pools.close()

    def with_retry(
        self,
        policy: RetryPolicy,
        *,
        on_retry: OnRetry | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> "Phytobatch":
        """The same connections and key with another patience; ``sleep`` may raise to stop waiting."""
        copy = object.__new__(type(self))
        copy._transport = self._transport.with_policy(policy, on_retry=on_retry, sleep=sleep)
        return copy

    # Jobs

    def create_job(
        self,
        *,
        name: str | None = None,
        external_id: str | None = None,
        priority: str | None = None,
        classifier: ClassifierRef | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Make a draft; with ``source={"s3": {"bucket", "prefix"}}`` it is validated at once.

        ``idempotency_key`` is made up unless given; give your own to get the same job after a crash.
        """
        body = {
            "name": name,
            "external_id": external_id,
            "priority": priority,
            "classifier": classifier.to_json() if classifier else None,
            "metadata": dict(metadata) if metadata else None,
            "source": source,
        }
        given = {key: value for key, value in body.items() if value is not None}
        return self._post("/v1/jobs", given, headers=_idempotency(idempotency_key)).parse(Job.from_json)

    def create_job_from_files(
        self,
        paths: Sequence[Path],
        *,
        name: str | None = None,
        external_id: str | None = None,
        priority: str | None = None,
        classifier: ClassifierRef | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Create, upload and commit a small set in one call; all files are held in memory at the same time.

        Raises:
            FileUnreadable: a file cannot be read; nothing was sent.
        """
        fields = {"name": name, "external_id": external_id, "priority": priority}
        if classifier:
            fields["classifier"] = str(classifier)
        form = multipart.encode([("files", path) for path in paths], fields)
        return self._post_form("/v1/jobs/upload", form, idempotency_key=idempotency_key).parse(Job.from_json)

    def add_images(self, job_id: str, images: Sequence[ImageSpec]) -> list[UploadTarget]:
        """Register up to 1,000 images and get the addresses for their bytes, in the same order.

        The same images again get fresh addresses: that is how an expired one is renewed.

        Raises:
            Conflict: ``image-name-taken``: a name stands for other content; ``job-not-draft``: too late.
        """
        body = {"images": [image.to_json() for image in images]}
        answer = self._post(f"{_path(job_id)}/images", body, repeatable=True)
        return answer.parse(lambda data: [UploadTarget.from_json(entry) for entry in data["images"]])

    def upload(self, target: UploadTarget, path: Path, *, progress: Progress | None = None) -> None:
        """Send the bytes of one file, streamed from disk, once: what to do with an error is the caller's decision.

        Raises:
            UploadUrlExpired: ask ``add_images`` for a fresh address.
            UploadRefused, UploadError: the object store says no, for good or for now.
            NetworkError: no answer arrived.
            FileUnreadable: the file cannot be read.
        """
        put_file(self._transport.pools, target, path, progress=progress)

    def commit(self, job_id: str) -> Job:
        """Say that all images are there; repeating it is harmless."""
        return self._post(f"{_path(job_id)}/commit", None, repeatable=True).parse(Job.from_json)

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return self._get(_path(job_id)).parse(Job.from_json)

    def poll(self, job_id: str, etag: str | None = None) -> Poll:
        """The job if it differs from the answer that had this ``ETag``, and when to ask again."""
        answer = self._get(_path(job_id), headers={"If-None-Match": etag} if etag else {})
        unchanged = answer.status == HTTPStatus.NOT_MODIFIED
        job = None if unchanged else answer.parse(Job.from_json)
        return Poll(job, answer.headers.get("ETag") or (etag if unchanged else None), answer.retry_after)

    def wait(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        on_change: Callable[[Job], None] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Job:
        """Ask until the job is terminal; ``on_change`` gets each new answer.

        Raises:
            WaitTimeout: ``timeout`` seconds are over. The job goes on.
        """
        return wait_until_terminal(self.poll, job_id, timeout=timeout, on_change=on_change, sleep=sleep)

    def jobs_page(self, *, state: str | None = None, after: str | None = None, limit: int | None = None) -> Page[Job]:
        """One page of jobs, newest first."""
        return self._get("/v1/jobs", query={"state": state, "after": after, "limit": limit}).parse(Page.of_jobs)

    def jobs(self, *, state: str | None = None, page_size: int = JOBS_PER_PAGE) -> Iterator[Job]:
        """Every job, newest first, page by page."""
        after: str | None = None
        while True:
            page = self.jobs_page(state=state, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def cancel(self, job_id: str) -> Job:
        """Ask for the job to end early; finished images are kept."""
        return self._post(f"{_path(job_id)}/cancel", None, repeatable=True).parse(Job.from_json)

    def delete(self, job_id: str) -> None:
        """Remove a draft or a terminal job with its images and results.

        Raises:
            Conflict: ``job-active``: cancel it first.
        """
        self._transport.send(Request("DELETE", _path(job_id)))

    # Results

    def results_page(
        self,
        job_id: str,
        *,
        after: str | None = None,
        limit: int = RESULTS_PER_PAGE,
        status: str | None = None,
        label: str | None = None,
    ) -> ResultPage:
        """One page of results in the order in which they were stored, and the job as it is now."""
        query = {"after": after, "limit": limit, "status": status, "label": label}
        answer = self._get(f"{_path(job_id)}/results", query=query)
        return answer.parse(partial(ResultPage.from_json, previous=after))

    def results(
        self,
        job_id: str,
        *,
        status: str | None = None,
        label: str | None = None,
        follow: bool = False,
        after: str | None = None,
        poll_seconds: float = 2.0,
    ) -> Iterator[Result]:
        """Every result that is stored, each once; with ``follow`` also those to come, until the job is terminal."""
        while True:
            page = self.results_page(job_id, after=after, status=status, label=label)
            yield from page.items
            after = page.after
            if page.is_last or not (page.has_more or follow):
                return
            if not page.has_more:
                time.sleep(poll_seconds)

    # Models and single images

    def models(self) -> list[Model]:
        """The classifiers that the server offers."""
        return self._get("/v1/models").parse(lambda data: [Model.from_json(entry) for entry in data["models"]])

    def predict(
        self, path: Path, *, classifier: ClassifierRef | None = None, idempotency_key: str | None = None
    ) -> Prediction:
        """Classify one file now. A server that is too busy for that answers with a job, which is waited for.

        Raises:
            InvalidRequest: the image cannot be read; ``error.problem.error_code`` says why.
            ServerUnavailable: the job that the server made of it did not succeed for a reason of its own.
        """
        form = multipart.encode([("file", path)], {})
        target = Request("POST", "/predict", {"classifier": str(classifier) if classifier else None}).target
        answer = self._post_form(target, form, idempotency_key=idempotency_key)
        if answer.status == HTTPStatus.ACCEPTED:
            return self._prediction_of_job(answer.parse(Job.from_json))
        return answer.parse(Prediction.from_json)

    def _prediction_of_job(self, job: Job) -> Prediction:
        self.wait(job.id)
        for result in self.results(job.id):
            if result.status == "succeeded" and result.label is not None:
                return Prediction(
                    predicted_class=result.label,
                    confidence=100 * (result.confidence or 0.0),
                    probabilities=result.probabilities or {},
                    needs_review=bool(result.needs_review),
                    job_id=job.id,
                    raw=result.raw,
                )
            detail = f"The image was not classified: {result.error_code or result.status}. {result.error_detail or ''}"
            raise ServerUnavailable(Problem(HTTPStatus.OK, "not-classified", "Not classified", detail.strip()))
        detail = f"Job {job.id} ended without a result."
        raise ServerUnavailable(Problem(HTTPStatus.OK, "not-classified", "Not classified", detail))

    # Sending

    def _get(
        self,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self._transport.send(Request("GET", path, query or {}, headers or {}))

    def _post(
        self,
        path: str,
        body: JsonObject | None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        content = multipart.json_body(body)
        typed = {"Content-Type": "application/json", **(headers or {})}
        return self._transport.send(Request("POST", path, {}, typed, content, repeatable))

    def _post_form(self, path: str, form: multipart.Form, *, idempotency_key: str | None) -> Answer:
        headers = {"Content-Type": form.content_type, **_idempotency(idempotency_key)}
        return self._transport.send(Request("POST", path, {}, headers, form.body))


def _path(job_id: str) -> str:
    # Quoted whole: an id that was typed must not become another path.
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _idempotency(key: str | None) -> dict[str, str]:
    return {IDEMPOTENCY_HEADER: key or str(uuid.uuid4())}
