"""Files that arrive through the API: stored as objects, and as the images of a job."""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from api.auth import Caller
from api.idempotency import Ticket
from api.jobs.submit import committed, default, resolve
from api.multipart.form import ReceivedFile
from api.services import Services
from api.wire.jobs import JobOut, job_path
from shared import audit
from shared.contracts import stored
from shared.contracts.audit import Action
from shared.contracts.job_request import JobRequest
from shared.contracts.receipts import RemovalReason
from shared.contracts.stored import NAME_LENGTH
from shared.db.models import Classifier
from shared.errors import InvalidRequest, PhytobatchError
from shared.geography.sidecar.read import folder_of, read_sidecar
from shared.geography.sidecar.row import SidecarRow
from shared.geography.sidecar.storing import apply_sidecar
from shared.jobs import lifecycle
from shared.jobs.cut import ChunkSizes
from shared.jobs.images import NewImage, add_images
from shared.limits import quotas
from shared.limits.quotas import Quotas
from shared.storage.keys import upload_key
from shared.webhooks.per_job import endpoint_for

log = structlog.get_logger()

PUTS_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file with its checksum."""

    file: ReceivedFile
    sha256: bytes

    @classmethod
    def of(cls, file: ReceivedFile) -> "Arrival":
        """Read the file once, for its checksum."""
        return cls(file, file.sha256())

    @property
    def image(self) -> NewImage:
        """The image as the job names it."""
        return NewImage(name=self.file.name, size=self.file.size, sha256=self.sha256)

    def sidecar(self) -> "Sidecar":
        """Read the file as a sidecar.

        Raises:
            SidecarInvalid: it cannot be read.
        """
        self.file.body.seek(0)
        return Sidecar(read_sidecar(self.file.body.read()), folder_of(self.file.name))

    @property
    def identity(self) -> list[object]:
        """The parts that make two uploads the same, for the Idempotency-Key."""
        return [self.file.name, self.file.size, self.sha256.hex()]


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The rows of a sidecar, about the images whose names begin with ``folder``."""

    rows: list[SidecarRow]
    folder: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one request: images, and the sidecars that describe them.

    ``are_checked``: the API has looked at each itself, so no worker needs to validate them first.
    """

    images: Sequence[Arrival]
    sidecars: Sequence[Sidecar] = ()
    are_checked: bool = False


def check_name(name: str) -> None:
    """Return if a file may have this name.

    Raises:
        InvalidRequest: the name is missing, too long, or has a character that cannot be stored.
    """
    if not 0 < len(name) <= NAME_LENGTH:
        raise InvalidRequest(f"each file needs a name of 1 to {NAME_LENGTH} characters; got {name[:80]!r}")
    try:
        stored.text(name)
    except ValueError as error:
        raise InvalidRequest(f"the name {name[:80]!r} {error}") from error


def submit_files(services: Services, caller: Caller, request: JobRequest, files: Files, ticket: Ticket) -> JobOut:
    """Create, upload and commit a job in one call, or leave nothing of it. Call it in a thread.

    Raises:
        InvalidRequest: there is no such classifier, it has not learned the tiles of the job, or a sidecar names a
            position that cannot be.
        Unavailable: there is no default classifier yet.
        Conflict: a ``webhook_url`` is named, and the tenant has no job secret.
        QuotaExceeded: the tenant has as much open as it may.
        StoreUnavailable: the object store is away.
    """
    with services.database.begin() as session:
        classifier = resolve(session, request) or default(session, request.tiling)
    job_id, numbers = _open_draft(services, caller, request, classifier, files)
    try:
        _put_all(services, job_id, numbers, files.images)
        out = _commit(services, caller, job_id, classifier, request, files, ticket)
    except BaseException:
        _discard(services, job_id)
        raise
    services.waker.nudge()
    return out


def _open_draft(
    services: Services, caller: Caller, request: JobRequest, classifier: Classifier, files: Files
) -> tuple[uuid.UUID, list[int]]:
    """Store a draft that names the files first, so that no object is ever without a job that removes it.

    Returns:
        Id of the job and the numbers of the images.
    """
    settings = services.settings
    with services.database.begin() as session:
        quota = quotas.lock_tenant(session, caller.tenant_id, Quotas.of(settings))
        job = lifecycle.create_draft(
            session,
            caller.tenant_id,
            request,
            draft_hours=settings.draft_hours,
            classifier_id=classifier.id,
            webhook_endpoint_id=endpoint_for(session, caller.tenant_id, request.webhook_url),
        )
        images = [arrival.image for arrival in files.images]
        numbers = add_images(session, job, images, max_images=settings.max_images_per_job)
        quota.check(jobs=1, images=len(images))
        audit.record(session, caller.actor, Action.JOB_CREATE, job.id, tenant_id=caller.tenant_id)
        for sidecar in files.sidecars:
            apply_sidecar(session, job.id, sidecar.rows, folder=sidecar.folder)
    log.info("job_created", job_id=str(job.id), images=len(images))
    return job.id, numbers


def _put_all(services: Services, job_id: uuid.UUID, numbers: Sequence[int], arrivals: Sequence[Arrival]) -> None:
    """Write every file into the object store, several at a time."""

    def put(seq: int, arrival: Arrival) -> None:
        services.store.put(upload_key(job_id, seq), arrival.file.body, size=arrival.file.size, sha256=arrival.sha256)

    if len(arrivals) == 1:
        put(numbers[0], arrivals[0])
        return
    with ThreadPoolExecutor(min(PUTS_AT_A_TIME, len(arrivals)), thread_name_prefix="put") as pool:
        for done in [pool.submit(put, seq, one) for seq, one in zip(numbers, arrivals, strict=True)]:
            done.result()


def _commit(  # the one transaction that all of them meet in
    services: Services,
    caller: Caller,
    job_id: uuid.UUID,
    classifier: Classifier,
    request: JobRequest,
    files: Files,
    ticket: Ticket,
) -> JobOut:
    with services.database.begin() as session:
        if files.are_checked:
            sizes = ChunkSizes.of(services.settings)
            job = lifecycle.commit_arrived(session, job_id, classifier.id, sizes=sizes)
        else:
            job = lifecycle.commit(session, job_id, classifier.id)
        images = len(files.images)
        audit.record(session, caller.actor, Action.JOB_COMMIT, job_id, tenant_id=caller.tenant_id, images=images)
        out = committed(session, job, classifier, request.webhook_url)
        ticket.complete(session, HTTPStatus.ACCEPTED, out.model_dump(mode="json"), location=job_path(job_id))
    return out


def _discard(services: Services, job_id: uuid.UUID) -> None:
    """Take a job back whose upload failed: a worker removes its objects and rows.

    When that fails too, the draft expires by itself.
    """
    try:
        with services.database.begin() as session:
            lifecycle.delete(session, job_id, reason=RemovalReason.UPLOAD_FAILED)
    except PhytobatchError as error:
        log.warning("upload_left_behind", job_id=str(job_id), reason=type(error).__name__)
    else:
        services.waker.nudge()
