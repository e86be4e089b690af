"""``Phytobatch``: one method for each call of ``docs/http-api.md``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from phytobatch import configuration, multipart
from phytobatch.calls import Calls, idempotency, job_of, path_of
from phytobatch.corrections.corrections import Corrections
from phytobatch.downloads.download import Download
from phytobatch.errors import Problem, ServerUnavailable, WaitTimeout
from phytobatch.exports.exports import Exports
from phytobatch.pools import Pools
from phytobatch.receipts.receipts import Receipts
from phytobatch.resources import (
    Classifier,
    ClassifierRef,
    ImageSpec,
    Job,
    JsonObject,
    Page,
    Prediction,
    Readiness,
    Result,
    ResultPage,
    SidecarReport,
    UploadTarget,
)
from phytobatch.retry import RetryPolicy
from phytobatch.summaries.resources import Grid, Summary
from phytobatch.tiles.answer import ImageTiles, TileExplanation
from phytobatch.transport import OnRetry, Request, Transport
from phytobatch.uploads import Progress, put_file
from phytobatch.waiting.job_event import JobEvent
from phytobatch.waiting.job_stream import JobStream, follow
from phytobatch.waiting.poll import Poll
from phytobatch.waiting.until_terminal import Waiting
from phytobatch.webhooks.deliveries import Deliveries
from phytobatch.webhooks.endpoints import Webhooks

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_IMAGES_PER_CALL = 1000
RESULTS_PER_PAGE = 1000
JOBS_PER_PAGE = 100
EXPLANATION_PAUSE = 2.0  # seconds, where the server does not say when to ask again


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
            ConfigurationError: no key, an address that has no sense, or an ``SSL_CERT_FILE`` that holds no certificate.
        """
        configuration.check_authorities()
        key = api_key or configuration.api_key()
        pools = Pools(connections=connections)
        policy = retry or RetryPolicy()
        self._calls = Calls(Transport(configuration.base_url(url), key, pools, policy, on_retry=on_retry))

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
        return self._calls.transport.base_url

    def close(self) -> None:
        """Close idle connections; the object stays usable."""
        self._calls.transport.pools.close()

    def with_retry(
        self,
        policy: RetryPolicy,
        *,
        on_retry: OnRetry | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Phytobatch:
        """Return a client with the same connections and another patience; ``sleep`` may raise to stop waiting."""
        copy = object.__new__(type(self))
        copy._calls = Calls(self._calls.transport.with_policy(policy, on_retry=on_retry, sleep=sleep))
        return copy

    @property
    def webhooks(self) -> Webhooks:
        """The tenant's webhook endpoints, and the secret of the jobs' own addresses."""
        return Webhooks(self._calls)

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries to webhooks, and their attempts."""
        return Deliveries(self._calls)

    @property
    def exports(self) -> Exports:
        """Results as files."""
        return Exports(self._calls)

    @property
    def corrections(self) -> Corrections:
        """The labels that people gave to images."""
        return Corrections(self._calls)

    @property
    def receipts(self) -> Receipts:
        """The proofs of what was removed."""
        return Receipts(self._calls)

    def health(self) -> str:
        """Return ``ok`` while the process of the server lives."""
        return self._calls.get("/healthz").parse(lambda data: str(data["status"]))

    def ready(self) -> Readiness:
        """Ask the server whether it can serve, and how its database, object store and Redis are."""
        return self._calls.get("/readyz", also=(HTTPStatus.SERVICE_UNAVAILABLE,)).parse(Readiness.from_json)

    # Jobs

    def create_job(  # noqa: PLR0913  # one for each field of a job
        self,
        *,
        name: str | None = None,
        external_id: str | None = None,
        priority: str | None = None,
        classifier: ClassifierRef | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
        webhook_url: str | None = None,
        keep_days: int | None = None,
        keep_originals_days: int | None = None,
        tiling: str | Mapping[str, float] | None = None,
        on_coarse: str | None = None,
        ground_resolution_mm: float | None = None,
        explain: bool = False,
        idempotency_key: str | None = None,
    ) -> Job:
        """Make a draft; with ``source={"s3": {"bucket", "prefix"}}`` it is validated at once.

        ``webhook_url`` gets the end of this job alone, signed with ``webhooks.job_secret``.
        ``keep_days`` and ``keep_originals_days`` count from the end of the job: for the whole of it, for the uploads.
        ``tiling`` cuts photographs of many plants: ``"auto"``, ``{"edge": 256, "overlap": 0.2}`` in pixels or
        ``{"edge_mm": 80}``; ``on_coarse`` is ``"skip"`` or ``"answer"``. With ``explain`` its results say what speaks
        for their label.
        ``idempotency_key`` is made up unless given; give your own to get the same job after a crash.
        """
        body = {
            "name": name,
            "external_id": external_id,
            "priority": priority,
            "classifier": classifier.to_json() if classifier else None,
            "metadata": dict(metadata) if metadata else None,
            "source": source,
            "webhook_url": webhook_url,
            "keep_days": keep_days,
            "keep_originals_days": keep_originals_days,
            "tiling": tiling,
            "on_coarse": on_coarse,
            "ground_resolution_mm": ground_resolution_mm,
            "explain": explain or None,
        }
        fields = {key: value for key, value in body.items() if value is not None}
        return job_of(self._calls.post("/v1/jobs", fields, headers=idempotency(idempotency_key)))

    def create_job_from_files(  # noqa: PLR0913  # one for each field of a job
        self,
        paths: Sequence[Path],
        *,
        name: str | None = None,
        external_id: str | None = None,
        priority: str | None = None,
        classifier: ClassifierRef | None = None,
        webhook_url: str | None = None,
        keep_days: int | None = None,
        keep_originals_days: int | None = None,
        tiling: str | None = None,
        on_coarse: str | None = None,
        ground_resolution_mm: float | None = None,
        explain: bool = False,
        idempotency_key: str | None = None,
    ) -> Job:
        """Create, upload and commit a small set in one call; all files are held in memory at the same time.

        ``tiling`` is a text here: ``auto``, ``256``, ``256/0.2``, ``80mm``.

        Raises:
            FileUnreadable: a file cannot be read; nothing was sent.
        """
        fields = {"name": name, "external_id": external_id, "priority": priority, "webhook_url": webhook_url}
        fields.update({"tiling": tiling, "on_coarse": on_coarse, "explain": _flag(explain)})
        numbers = {
            "keep_days": keep_days,
            "keep_originals_days": keep_originals_days,
            "ground_resolution_mm": ground_resolution_mm,
        }
        fields.update({field: str(value) for field, value in numbers.items() if value is not None})
        if classifier:
            fields["classifier"] = str(classifier)
        form = multipart.encode([("files", path) for path in paths], fields)
        return job_of(self._calls.post_form("/v1/jobs/upload", form, idempotency_key=idempotency_key))

    def add_images(self, job_id: str, images: Sequence[ImageSpec]) -> list[UploadTarget]:
        """Register up to 1,000 images and get the addresses for their bytes, in the same order.

        The same images again get fresh addresses: that is how an expired one is renewed.

        Raises:
            Conflict: ``image-name-taken``: a name stands for other content; ``job-not-draft``: too late.
        """
        body = {"images": [image.to_json() for image in images]}
        answer = self._calls.post(f"{_path(job_id)}/images", body, repeatable=True)
        return answer.parse(lambda data: _targets(data["images"], len(images)))

    def put_sidecar(self, job_id: str, data: bytes, *, folder: str = "") -> SidecarReport:
        """Say where the images of a draft were taken: a ``geo.txt`` or a CSV file, after ``add_images``.

        Args:
            job_id: of a draft.
            data: the file.
            folder: it speaks of the images whose names begin so.

        Raises:
            InvalidRequest: ``sidecar-invalid``: a line cannot be read; the sentence names it.
            Conflict: ``job-not-draft``: too late.
        """
        query = {"folder": folder or None}
        answer = self._calls.put(f"{_path(job_id)}/sidecar", data, content_type="text/plain", query=query)
        return answer.parse(SidecarReport.from_json)

    def upload(self, target: UploadTarget, path: Path, *, progress: Progress | None = None) -> None:
        """Send the bytes of one file, streamed from disk, once: what to do with an error is the caller's decision.

        Raises:
            UploadUrlExpired: ask ``add_images`` for a fresh address.
            UploadRefused, UploadError: the object store says no, for good or for now.
            NetworkError: no answer arrived.
            FileUnreadable: the file cannot be read.
        """
        put_file(self._calls.transport.pools, target, path, progress=progress)

    def commit(self, job_id: str) -> Job:
        """Say that all images are there; repeating it is harmless."""
        return job_of(self._calls.post(f"{_path(job_id)}/commit", repeatable=True))

    def job(self, job_id: str) -> Job:
        """Return the job as it is now."""
        return job_of(self._calls.get(_path(job_id)))

    def poll(self, job_id: str, etag: str | None = None, *, wait: int | None = None) -> Poll:
        """Return the job if it differs from the answer that had this ``ETag``, and when to ask again.

        With ``wait`` the server answers at the next change (without ``etag``: at the end), or after so many seconds.

        Raises:
            LimitExceeded: ``wait`` is longer than the server allows.
        """
        headers = {"If-None-Match": etag} if etag else {}
        return Poll.of(self._calls.get(_path(job_id), query={"wait": wait}, headers=headers), etag)

    def wait(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        on_change: Callable[[Job], None] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Job:
        """Wait until the job is terminal; ``on_change`` gets it after each change.

        Listens to the event stream, and asks where there is none.

        Raises:
            WaitTimeout: ``timeout`` seconds are over. The job goes on.
        """
        waiting = Waiting(
            job_id,
            ask=self.poll,
            ask_once=self.with_retry(RetryPolicy(total_seconds=0)).poll,
            stream=self._stream(job_id),
            timeout=timeout,
            on_change=on_change,
            sleep=sleep,
        )
        return waiting.run()

    def events(self, job_id: str, *, last_event_id: str | None = None) -> Iterator[JobEvent]:
        """Yield the events of the job as they happen, until its end; connections that break are made again.

        It begins with the job as it stands; with ``last_event_id``, with what came after that event.
        """
        return follow(self._calls.transport, self._stream(job_id, last_event_id))

    def retry(self, job_id: str) -> Job:
        """Run the failed images of a job that is over again; the answers that stand are kept.

        Raises:
            Conflict: ``job-active``: it is not over; ``nothing-to-retry``: nothing of it failed.
        """
        return job_of(self._calls.post(f"{_path(job_id)}/retry"))

    def _stream(self, job_id: str, last_event_id: str | None = None) -> JobStream:
        return JobStream(self._calls.transport, f"{_path(job_id)}/events", last_event_id)

    def jobs_page(self, *, state: str | None = None, after: str | None = None, limit: int | None = None) -> Page[Job]:
        """Return one page of jobs, newest first."""
        return self._calls.get("/v1/jobs", query={"state": state, "after": after, "limit": limit}).parse(Page.of_jobs)

    def jobs(self, *, state: str | None = None, page_size: int = JOBS_PER_PAGE) -> Iterator[Job]:
        """Yield every job, newest first, page by page."""
        after: str | None = None
        while True:
            page = self.jobs_page(state=state, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def cancel(self, job_id: str) -> Job:
        """Ask for the job to end early; finished images are kept."""
        return job_of(self._calls.post(f"{_path(job_id)}/cancel", repeatable=True))

    def delete(self, job_id: str) -> str | None:
        """Remove a draft or a terminal job with its images and results; returns the id of the receipt.

        Raises:
            Conflict: ``job-active``: cancel it first.
        """
        location = self._calls.delete(_path(job_id)).headers.get("Location", "")
        return location.rpartition("/")[2] or None

    # Results

    def results_page(
        self,
        job_id: str,
        *,
        after: str | None = None,
        limit: int = RESULTS_PER_PAGE,
        status: str | None = None,
        label: str | None = None,
        place: str | None = None,
    ) -> ResultPage:
        """Return one page of results in the order in which they were stored, and the job as it is now."""
        query = {"after": after, "limit": limit, "status": status, "label": label, "place": place}
        answer = self._calls.get(f"{_path(job_id)}/results", query=query)
        return answer.parse(partial(ResultPage.from_json, previous=after))

    def results(
        self,
        job_id: str,
        *,
        status: str | None = None,
        label: str | None = None,
        place: str | None = None,
        follow: bool = False,
        after: str | None = None,
        poll_seconds: float = 2.0,
    ) -> Iterator[Result]:
        """Yield every result that is stored, each once; with ``follow`` also those to come, until the job is terminal.

        ``place`` is ``known`` or ``missing``: only the images with a position, or without one.
        """
        while True:
            page = self.results_page(job_id, after=after, status=status, label=label, place=place)
            yield from page.items
            after = page.after
            if page.is_last or not (page.has_more or follow):
                return
            if not page.has_more:
                time.sleep(poll_seconds)

    # The job as a whole

    def summary(
        self, job_id: str, *, group_by: Sequence[str] = (), time_zone: str = "UTC", healthy: Sequence[str] = ()
    ) -> Summary:
        """Return shares per class, per value of metadata keys and per day, and the images to review first.

        Raises:
            LimitExceeded: a key has too many values.
        """
        query = {"group_by": list(group_by), "time_zone": time_zone, "healthy": list(healthy)}
        return self._calls.get(f"{_path(job_id)}/summary", query=query).parse(Summary.from_json)

    def grid(
        self, job_id: str, *, edge: float, origin: tuple[float, float] | None = None, healthy: Sequence[str] = ()
    ) -> Grid:
        """Return the job in squares of ``edge`` metres; ``origin`` (longitude, latitude) is a corner of one.

        Raises:
            LimitExceeded: too many squares; choose a longer edge.
        """
        begin = None if origin is None else f"{origin[0]:.9f},{origin[1]:.9f}"
        query = {"edge": edge, "origin": begin, "healthy": list(healthy)}
        return self._calls.get(f"{_path(job_id)}/grid", query=query).parse(Grid.from_json)

    # Images

    def tiles(self, job_id: str, seq: int) -> ImageTiles:
        """Return the answer of each tile of an image.

        Raises:
            NotFound: the job has no such image; ``no-tiles``: it was answered as a whole, or has no answer (yet).
        """
        return self._calls.get(f"{_path(job_id)}/images/{seq}/tiles").parse(ImageTiles.from_json)

    def explain_tile(
        self,
        job_id: str,
        seq: int,
        tile: int,
        *,
        timeout: float | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> TileExplanation:
        """Ask what speaks for the label of a tile, and wait until it is made; ``timeout`` is in seconds.

        Raises:
            NotFound: ``no-tiles``: it was answered as a whole; ``no-explanation``: the tile was skipped, or the
                classifier gives no map.
            Conflict: ``originals-removed``: retention has removed the photograph.
            InvalidRequest: ``image-not-readable``: the photograph cannot be read; or there is no such tile.
            WaitTimeout: it is not made yet.
        """
        path = f"{_path(job_id)}/images/{seq}/tiles/{tile}/explanation"
        until = None if timeout is None else time.monotonic() + timeout
        while (answer := self._calls.get(path)).status == HTTPStatus.ACCEPTED:
            if until is not None and time.monotonic() >= until:
                raise WaitTimeout(f"Tile {tile} of image {seq} is not explained yet after {timeout:g} s; ask again.")
            sleep(answer.retry_after or EXPLANATION_PAUSE)
        return answer.parse(TileExplanation.from_json)

    def image(self, job_id: str, seq: int) -> bytes:
        """Download the original of an image, whole in memory.

        Raises:
            DownloadRefused: it was never uploaded.
        """
        with TemporaryDirectory(prefix="phytobatch-") as folder:
            part = Path(folder) / "original"
            self.download_image(job_id, seq, part)
            return part.read_bytes()

    def download_image(self, job_id: str, seq: int, part: Path, *, policy: RetryPolicy | None = None) -> None:
        """Bring the original of an image into ``part``; what is there of it already is kept.

        Raises:
            NotFound: the job has no such image.
            DownloadRefused: it was never uploaded.
            DownloadError, NetworkError: it did not arrive whole; another call goes on where this one ended.
        """
        request = Request("GET", f"{_path(job_id)}/images/{seq}/file", wants_location=True)

        def locate() -> str:
            return self._calls.transport.send(request).headers.get("Location", "")

        Download(self._calls.transport.pools, locate, policy or RetryPolicy()).to(part)

    # Classifiers and single images

    def classifiers(self) -> list[Classifier]:
        """List the classifiers that the server offers."""
        answer = self._calls.get("/v1/classifiers")
        return answer.parse(lambda data: [Classifier.from_json(entry) for entry in data["classifiers"]])

    def predict(
        self,
        path: Path,
        *,
        classifier: ClassifierRef | None = None,
        tiling: str | None = None,
        on_coarse: str | None = None,
        ground_resolution_mm: float | None = None,
        explain: bool = False,
        idempotency_key: str | None = None,
    ) -> Prediction:
        """Classify one file now. A server that is too busy for that answers with a job, which is waited for.

        ``tiling`` is a text here: ``auto``, ``256``, ``256/0.2``, ``80mm``.

        Raises:
            InvalidRequest: the image cannot be read; ``error.problem.error_code`` says why.
            ServerUnavailable: the job that the server made of it did not succeed for a reason of its own.
        """
        form = multipart.encode([("file", path)], {})
        query = {
            "classifier": str(classifier) if classifier else None,
            "tiling": tiling,
            "on_coarse": on_coarse,
            "ground_resolution_mm": ground_resolution_mm,
            "explain": _flag(explain),
        }
        answer = self._calls.post_form(Request("POST", "/predict", query).target, form, idempotency_key=idempotency_key)
        if answer.status == HTTPStatus.ACCEPTED:
            return self._prediction_of_job(job_of(answer))
        return answer.parse(Prediction.from_json)

    def _prediction_of_job(self, job: Job) -> Prediction:
        self.wait(job.id)
        for result in self.results(job.id):
            if result.status == "succeeded":
                return Prediction(
                    predicted_class=result.label,
                    confidence=None if result.confidence is None else 100 * result.confidence,
                    probabilities=result.probabilities or {},
                    needs_review=bool(result.needs_review),
                    review_reason=result.review_reason,
                    tiles=result.tiles,
                    tiles_map=self.tiles(job.id, result.seq).raw if result.tiles else None,
                    explanation=result.explanation,
                    job_id=job.id,
                    raw=result.raw,
                )
            detail = f"The image was not classified: {result.error_code or result.status}. {result.error_detail or ''}"
            raise ServerUnavailable(Problem(HTTPStatus.OK, "not-classified", "Not classified", detail.strip()))
        detail = f"Job {job.id} ended without a result."
        raise ServerUnavailable(Problem(HTTPStatus.OK, "not-classified", "Not classified", detail))


def _flag(is_set: bool) -> str | None:  # noqa: FBT001  # what it is about is its name
    """Return a setting as a form or a query has it; None, the default, is left out."""
    return "true" if is_set else None


def _path(job_id: str) -> str:
    return path_of("jobs", job_id)


def _targets(entries: Sequence[JsonObject], count: int) -> list[UploadTarget]:
    if len(entries) != count:
        raise ValueError(f"{len(entries)} addresses for {count} images")
    return [UploadTarget.from_json(entry) for entry in entries]
