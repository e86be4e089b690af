"""Every limit that a client can meet, for ``docs/limits.md``: ``python -m api.limits`` prints the tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.limits.forms import MAX_FIELD_BYTES, MAX_FIELDS, MAX_HEADER_BYTES, MAX_HEADER_LINES
from shared.contracts.metadata import IMAGE_METADATA_BYTES, JOB_METADATA_BYTES
from shared.contracts.stored import NAME_LENGTH
from shared.contracts.webhook_url import MAX_URL_LENGTH
from shared.corrections.store import NOTE_LENGTH
from shared.settings import ENV_PREFIX, Settings
from shared.summaries.shares import MAX_KEYS

LIMIT = "422 `limit-exceeded`"
SLOW = "408 `body-too-slow`, and the connection ends"
BODY = "413 `body-too-large`"
QUOTA = "429 `quota-exceeded`; 403 where it would not fit alone"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: what it bounds, the setting that holds it, and what a client gets that is over it."""

    what: str
    setting: str
    answer: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A limit that is part of the wire format: no setting holds it."""

    what: str
    maximum: str
    answer: str


OF_A_REQUEST: Sequence[Limit] = (
    Limit("address with its query", "max_url_bytes", "414 `url-too-long`"),
    Limit("query string", "max_query_bytes", "414 `url-too-long`"),
    Limit("header fields together", "max_header_bytes", "431 `headers-too-large`; far above it, the connection ends"),
    Limit("JSON body", "max_json_bytes", BODY),
    Limit("objects and lists in each other", "max_json_depth", LIMIT),
    Limit("rows of a page, images of a request", "max_page_size", f"{LIMIT}; above 1,000 always `invalid-request`"),
    Limit("bytes of a page of jobs or results", "max_page_bytes", "the page ends early and says `has_more`"),
    Limit("multipart upload", "max_multipart_bytes", BODY),
    Limit("files of a multipart upload", "max_multipart_files", LIMIT),
    Limit("sidecar or table of corrections", "max_sidecar_bytes", BODY),
    Limit("seconds of the head", "head_seconds", "408, and the connection ends"),
    Limit("seconds of a body before the least rate counts", "body_seconds", SLOW),
    Limit("least bytes of a body in a second, on average", "least_bytes_per_second", SLOW),
    Limit("seconds of a body at any rate", "max_body_seconds", SLOW),
    Limit("seconds in which an answer is taken at less than that rate", "answer_seconds", "the answer is broken off"),
    Limit("`?wait=` in seconds", "max_wait_seconds", LIMIT),
    Limit("values of a key in a summary", "max_summary_groups", LIMIT),
    Limit("squares of a grid", "max_grid_cells", LIMIT),
    Limit("rows of an export that is sent at once", "max_direct_export_rows", LIMIT),
)
COSTLY = "the image is `failed: too_costly`"
OF_A_JOB: Sequence[Limit] = (
    Limit("images", "max_images_per_job", f"{LIMIT}; of an import, the job is `failed: too_many_images`"),
    Limit("bytes of an image", "max_image_bytes", f"{LIMIT} or {BODY}; what lies there all the same is `too_large`"),
    Limit("pixels of an image", "max_image_pixels", "the image is `failed: too_many_pixels`"),
    Limit("pixels of the longer side of an image", "max_image_side", "the image is `failed: too_many_pixels`"),
    Limit("tiles of an image", "max_tiles_per_image", "the image is `rejected: too_many_tiles`"),
    Limit("scans of a progressive JPEG", "max_image_scans", COSTLY),
    Limit("memory of ordinary images at a time, in bytes", "pixel_bytes_in_flight", "the next one waits"),
    Limit("memory of decoded photographs in tiles, in bytes", "decoded_bytes_in_flight", "the next one waits"),
    Limit("processor seconds of an odd image", "isolated_processor_seconds", COSTLY),
    Limit("seconds on the clock of an odd image", "isolated_seconds", COSTLY),
    Limit("memory of an odd image, in bytes", "isolated_memory_bytes", f"{COSTLY} or `worker_crashed`"),
    Limit("exports", "max_exports_per_job", LIMIT),
    Limit("hours of a draft", "draft_hours", "the job is `expired`"),
    Limit("seconds of an upload URL", "presigned_url_seconds", "403 of the object store"),
)
OF_A_TENANT: Sequence[Limit] = (
    Limit("requests of a key in a minute", "requests_per_minute", "429 `rate-limited`"),
    Limit("open jobs", "max_open_jobs", QUOTA),
    Limit("images without an answer", "max_pending_images", f"{QUOTA}; an import is `failed: quota_exceeded`"),
    Limit("tiles without an answer", "max_pending_tiles", "the job is `failed: quota_exceeded` once it is inspected"),
    Limit("running chunks of bulk jobs", "max_running_chunks", "the next one waits; nobody is refused"),
    Limit("webhooks", "max_webhook_endpoints", LIMIT),
    Limit("days of a job", "keep_days_results", "the job is deleted: 404, and a receipt"),
    Limit("days of its uploads", "keep_days_originals", "404 of the file, 409 `originals-removed` of a retry"),
)
SHARE = "429 `too-many-waiting` or `too-many-at-a-time`; for a thread it waits its turn"
OF_A_PROCESS: Sequence[Limit] = (
    Limit("clients that wait", "max_waiting_clients", "503 `too-many-waiting`"),
    Limit("bytes of request bodies at a time", "max_body_bytes_at_a_time", "503 `no-room`"),
    Limit("part of these, and of threads and connections, for one key", "key_share", SHARE),
    Limit("part for all keys of one tenant", "tenant_share", SHARE),
)
FIXED: Sequence[Fixed] = (
    Fixed("name, file name, external id", f"{NAME_LENGTH} characters", "422 `invalid-request`"),
    Fixed("metadata of a job", f"{JOB_METADATA_BYTES} bytes as JSON, numbers written out", "422 `invalid-request`"),
    Fixed(
        "metadata of an image", f"{IMAGE_METADATA_BYTES} bytes as JSON, numbers written out", "422 `invalid-request`"
    ),
    Fixed("note of a correction", f"{NOTE_LENGTH} characters", "422 `invalid-request`"),
    Fixed("webhook URL", f"{MAX_URL_LENGTH} characters", "422 `invalid-request`"),
    Fixed("Idempotency-Key", "255 characters", "422 `invalid-request`"),
    Fixed("keys of a summary", f"{MAX_KEYS}", "422 `invalid-request`"),
    Fixed("fields of a multipart upload", f"{MAX_FIELDS}, {MAX_FIELD_BYTES} bytes each", "422 `invalid-request`"),
    Fixed("header of a part", f"{MAX_HEADER_LINES} lines, {MAX_HEADER_BYTES} bytes each", "422 `invalid-request`"),
)
SECTIONS: Sequence[tuple[str, Sequence[Limit]]] = (
    ("Of one request", OF_A_REQUEST),
    ("Of one job", OF_A_JOB),
    ("Of one tenant", OF_A_TENANT),
    ("Of one API process", OF_A_PROCESS),
)


def tables() -> str:
    """Return the tables of the manual."""
    parts = ["\n".join([f"## {title}", *_rows(limits)]) for title, limits in SECTIONS]
    return "\n\n".join([*parts, "\n".join(["## Of the wire format", *_fixed_rows()])])


def _rows(limits: Sequence[Limit]) -> Iterator[str]:
    yield from ("| limit | default | setting | over it |", "|---|---|---|---|")
    for one in limits:
        default = Settings.model_fields[one.setting].default
        yield f"| {one.what} | `{default}` | `{ENV_PREFIX}{one.setting.upper()}` | {one.answer} |"


def _fixed_rows() -> Iterator[str]:
    yield from ("| limit | most | over it |", "|---|---|---|")
    for one in FIXED:
        yield f"| {one.what} | {one.maximum} | {one.answer} |"
