"""``POST /v1/jobs/upload``: a small set in one call. Created, uploaded, committed; or nothing of it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from api.auth import Caller
from api.idempotency import RepeatableRequest, Stored, fingerprint, once
from api.jobs.arrivals import Arrival, Files, check_name, submit_files
from api.multipart.form import Form, ReceivedFile
from api.services import Services
from api.wire.jobs import JobOut
from shared.contracts.job_request import ClassifierRef, ClassifierText, JobRequest
from shared.contracts.tiling import ShortTiling, TilingText
from shared.errors import InvalidRequest, LimitExceeded
from shared.geography.sidecar.read import is_sidecar, order_of

FILES_FIELD = "files"
# A full upload to a slow store takes longer than an ordinary request.
LOCK_SECONDS = 300.0

# A form has texts alone, and no objects.
NOT_IN_A_FORM = frozenset({"metadata", "source"})
CLASSIFIER = TypeAdapter(ClassifierText)
# The schemas of settings that a form has as a text of their own.
TEXTS: dict[str, TypeAdapter[str]] = {"classifier": CLASSIFIER, "tiling": TypeAdapter(TilingText)}


def _classifier(text: str) -> ClassifierRef:
    return ClassifierRef.of(CLASSIFIER.validate_python(text))


class FormSettings(JobRequest):
    """The settings of a job as a form has them: texts."""

    classifier: Annotated[ClassifierRef, BeforeValidator(_classifier)] | None = None
    tiling: ShortTiling | None = None


def _request_body() -> dict[str, Any]:
    """Describe the form in OpenAPI: FastAPI does not read it itself (see ``api.multipart``), so it cannot."""
    schema = JobRequest.model_json_schema(ref_template="{model}")
    settings = {name: _form_schema(name, schema) for name in JobRequest.model_fields if name not in NOT_IN_A_FORM}
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    form = {
        "type": "object",
        "required": [FILES_FIELD],
        "properties": {FILES_FIELD: files, **settings},
        "additionalProperties": False,
        "examples": [{FILES_FIELD: ["DJI_0007.JPG", "DJI_0008.JPG"], "name": "North field, row 3"}],
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": form}}}


def _form_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one setting without null and objects, which a form cannot have."""
    if name in TEXTS:
        return TEXTS[name].json_schema()
    whole = dict(schema["properties"][name])
    kinds = [kind for kind in whole.pop("anyOf", []) if kind != {"type": "null"}]
    if "$ref" in whole:
        kinds.append(schema["$defs"][whole.pop("$ref")])
    merged = {key: value for part in (*kinds, whole) for key, value in part.items()}
    return {key: value for key, value in merged.items() if key != "title" and value is not None}


REQUEST_BODY = _request_body()


def submit_upload(services: Services, caller: Caller, form: Form, idempotency_key: str | None) -> JobOut | Stored:
    """Return the committed job, or the stored answer to the same request. Call it in a thread.

    Raises:
        InvalidRequest: no images, a sidecar that cannot be read, two files of one name,
            an unknown field or classifier, a URL that webhooks may not go to.
        Conflict: a ``webhook_url`` is named, and the tenant has no job secret.
        StoreUnavailable: the object store is away; nothing is left of the job.
    """
    request = _request(form.fields)
    _check_files(form.files)
    if request.webhook_url is not None:
        services.webhook_policy.check(request.webhook_url)
    images, sidecars = _sorted(form.files, services.settings.max_sidecar_bytes)
    content = [_content(request, form.fields), [arrival.identity for arrival in (*images, *sidecars)]]
    repeatable = RepeatableRequest(caller.tenant_id, idempotency_key, fingerprint("POST /v1/jobs/upload", content))
    keep_hours = services.settings.idempotency_key_hours
    with once(services.database, repeatable, keep_hours=keep_hours, lock_seconds=LOCK_SECONDS) as ticket:
        if ticket.stored:
            return ticket.stored
        return submit_files(services, caller, request, Files(images, [one.sidecar() for one in sidecars]), ticket)


def _request(fields: dict[str, str]) -> JobRequest:
    """Read the settings of the job.

    Raises:
        InvalidRequest: a field is unknown, or its text is no value of it.
    """
    for name in fields:
        if name in NOT_IN_A_FORM:
            raise InvalidRequest(f"{name}: Extra inputs are not permitted")
    try:
        return FormSettings.model_validate_strings(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidRequest(f"{field}: {first['msg']}" if field else first["msg"]) from error


def _content(request: JobRequest, fields: dict[str, str]) -> dict[str, Any]:
    """Return the parts that make two forms the same: their settings, with the classifier as it was written."""
    content = {name: value for name, value in request.content().items() if name not in NOT_IN_A_FORM}
    return {**content, "classifier": fields.get("classifier")}


def _sorted(files: list[ReceivedFile], max_sidecar_bytes: int) -> tuple[list[Arrival], list[Arrival]]:
    """Return the images, and the sidecars in the order in which they count.

    Raises:
        LimitExceeded: a sidecar is too large.
        InvalidRequest: there is no image.
    """
    arrivals = [Arrival.of(file) for file in files]
    sidecars = sorted((one for one in arrivals if is_sidecar(one.file.name)), key=lambda one: order_of(one.file.name))
    for one in sidecars:
        if one.file.size > max_sidecar_bytes:
            raise LimitExceeded(
                f"{one.file.name!r} has {one.file.size} bytes, a sidecar has at most {max_sidecar_bytes}",
                setting="PHYTOBATCH_MAX_SIDECAR_BYTES",
            )
    images = [one for one in arrivals if one not in sidecars]
    if not images:
        raise InvalidRequest("there are no images, only what is said of them; send the photos too")
    return images, sidecars


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
