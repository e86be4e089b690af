"""``POST /v1/jobs/upload``: a small set in one call. Created, uploaded, committed; or nothing of it."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from api.auth import Caller
from api.fields import ClassifierText, RequestBody, WebhookUrl, classifier_ref
from api.idempotency import Asked, Stored, Ticket, fingerprint, once
from api.jobs.arrivals import Arrival, Sidecar, check_name, discard, open_draft, put_all
from api.jobs.schemas import KeepDays, without_unused
from api.jobs.submit import resolve
from api.multipart.form import Form, ReceivedFile
from api.services import Services
from api.wire.jobs import JobOut, job_out, job_path
from shared import audit
from shared.classifiers import registry
from shared.contracts.audit import Action
from shared.contracts.states import Priority
from shared.contracts.stored import MAX_DAYS, NAME_LENGTH, Text
from shared.errors import InvalidRequest, LimitExceeded
from shared.geography.sidecar.read import is_sidecar, order_of
from shared.jobs import lifecycle
from shared.webhooks.urls import MAX_URL_LENGTH

FILES_FIELD = "files"
# A full upload to a slow store takes longer than an ordinary request.
LOCK_SECONDS = 300.0

REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FILES_FIELD],
                "properties": {
                    FILES_FIELD: {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
                    "name": {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH},
                    "external_id": {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH},
                    "priority": {"type": "string", "enum": [p.value for p in Priority], "default": Priority.BULK},
                    "classifier": {"type": "string", "description": "`name` or `name@version`."},
                    "webhook_url": {"type": "string", "minLength": 1, "maxLength": MAX_URL_LENGTH},
                    "keep_days": {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
                    "keep_originals_days": {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
                },
                "additionalProperties": False,
                "examples": [{FILES_FIELD: ["DJI_0007.JPG", "DJI_0008.JPG"], "name": "North field, row 3"}],
            }
        }
    },
}


class UploadFields(RequestBody):
    """The fields beside the files."""

    name: Text | None = None
    external_id: Text | None = None
    priority: Priority = Field(default=Priority.BULK)
    classifier: ClassifierText | None = None
    webhook_url: WebhookUrl | None = None
    keep_days: KeepDays | None = None
    keep_originals_days: KeepDays | None = None


def submit_upload(services: Services, caller: Caller, form: Form, idempotency_key: str | None) -> JobOut | Stored:
    """The committed job, or the stored answer to the same request. Call it in a thread.

    Raises:
        InvalidRequest: no images, a sidecar that cannot be read, two files of one name,
            an unknown field or classifier, a URL that webhooks may not go to.
        Conflict: a ``webhook_url`` is named, and the tenant has no job secret.
        StoreUnavailable: the object store is away; nothing is left of the job.
    """
    fields = _fields(form.fields)
    _check_files(form.files)
    if fields.webhook_url is not None:
        services.webhook_policy.check(fields.webhook_url)
    arrivals, sidecars = _sorted(form.files, services.settings.max_sidecar_bytes)
    content = [without_unused(fields.model_dump(mode="json")), [arrival.identity for arrival in (*arrivals, *sidecars)]]
    asked = Asked(caller.tenant_id, idempotency_key, fingerprint("POST /v1/jobs/upload", content))
    keep_hours = services.settings.idempotency_key_hours
    with once(services.database, asked, keep_hours=keep_hours, lock_seconds=LOCK_SECONDS) as ticket:
        if ticket.stored:
            return ticket.stored
        return _submit(services, caller, fields, _Set(arrivals, [one.sidecar() for one in sidecars]), ticket)


@dataclass(frozen=True, slots=True)
class _Set:
    """The images, and what the sidecars among the files say of them."""

    arrivals: list[Arrival]
    sidecars: list[Sidecar]


def _sorted(files: list[ReceivedFile], max_sidecar_bytes: int) -> tuple[list[Arrival], list[Arrival]]:
    """Images, and sidecars in the order in which they count.

    Raises:
        LimitExceeded: a sidecar is too large.
        InvalidRequest: there is no image.
    """
    found = [Arrival.of(file) for file in files]
    sidecars = sorted((one for one in found if is_sidecar(one.file.name)), key=lambda one: order_of(one.file.name))
    for one in sidecars:
        if one.file.size > max_sidecar_bytes:
            raise LimitExceeded(
                f"{one.file.name!r} has {one.file.size} bytes, a sidecar has at most {max_sidecar_bytes}",
                setting="PHYTOBATCH_MAX_SIDECAR_BYTES",
            )
    images = [one for one in found if one not in sidecars]
    if not images:
        raise InvalidRequest("there are no images, only what is said of them; send the photos too")
    return images, sidecars


def _submit(services: Services, caller: Caller, fields: UploadFields, given: _Set, ticket: Ticket) -> JobOut:
    with services.database.begin() as session:
        wanted = None if fields.classifier is None else classifier_ref(fields.classifier)
        classifier = resolve(session, wanted) or registry.resolve(session)
    new = lifecycle.NewJob(
        name=fields.name,
        external_id=fields.external_id,
        priority=fields.priority,
        classifier_id=classifier.id,
        keep_days=fields.keep_days,
        keep_originals_days=fields.keep_originals_days,
    )
    arrivals = given.arrivals
    job_id, numbers = open_draft(
        services, caller, new, arrivals, webhook_url=fields.webhook_url, sidecars=given.sidecars
    )
    try:
        put_all(services, job_id, numbers, arrivals)
        with services.database.begin() as session:
            out = job_out(lifecycle.commit(session, job_id, classifier.id), classifier, fields.webhook_url)
            audit.record(
                session, caller.actor, Action.JOB_COMMIT, job_id, tenant_id=caller.tenant_id, images=len(arrivals)
            )
            ticket.complete(session, 202, out.model_dump(mode="json"), location=job_path(job_id))
    except BaseException:
        discard(services, job_id)
        raise
    services.waker.nudge()
    return out


def _fields(given: dict[str, str]) -> UploadFields:
    try:
        return UploadFields.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _check_files(files: list[ReceivedFile]) -> None:
    if not files:
        raise InvalidRequest(f"there are no files; send each as a part {FILES_FIELD!r} with its file name")
    names: set[str] = set()
    for file in files:
        if file.field != FILES_FIELD:
            raise InvalidRequest(f"a file came as {file.field!r}; send each as {FILES_FIELD!r}")
        check_name(file.name)
        if file.name in names:
            raise InvalidRequest(f"two files have the name {file.name!r}; give each its own name")
        names.add(file.name)
