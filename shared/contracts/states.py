"""The states of jobs, images and chunks, and the error codes of an image.

Each state has one sentence, because users read these words in answers, exports and webhooks.
"""

from enum import StrEnum


# ``shared.jobs.lifecycle`` is the only writer.
class JobState(StrEnum):
    """The state of a job."""

    DRAFT = "draft"  # Images are being named and uploaded; nothing runs before the commit.
    VALIDATING = "validating"  # Committed; a worker checks what really arrived in the object store.
    QUEUED = "queued"  # Cut into chunks that wait for a worker.
    RUNNING = "running"  # At least one chunk was claimed by a worker.
    CANCELING = "canceling"  # A cancel was requested; a worker still works on a chunk of it.
    COMPLETED = "completed"  # Every image has a classification.
    COMPLETED_WITH_ERRORS = (
        "completed_with_errors"  # Some images have a classification, others failed or were rejected.
    )
    FAILED = "failed"  # No image has a classification.
    CANCELED = "canceled"  # Canceled, and no worker works on it; results that were finished stay.
    EXPIRED = "expired"  # A draft that was not committed in time.


TERMINAL_STATES = frozenset(
    {
        JobState.COMPLETED,
        JobState.COMPLETED_WITH_ERRORS,
        JobState.FAILED,
        JobState.CANCELED,
        JobState.EXPIRED,
    }
)


class ImageStatus(StrEnum):
    """The state of an image. Every one but ``pending`` is final and has a result row."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # It was tried and could not be classified; the error code says why.
    REJECTED = "rejected"  # Validation refused it before any worker tried.
    CANCELED = "canceled"


class ImageErrorCode(StrEnum):
    """The reason why an image has no classification. Permanent: the same bytes would fail again."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_COSTLY = "too_costly"  # Decoding takes more time or memory than one picture may.
    TOO_LARGE = "too_large"
    OBJECT_MISSING = "object_missing"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    SIZE_MISMATCH = "size_mismatch"
    DECODE_FAILED = "decode_failed"
    WORKER_CRASHED = "worker_crashed"
    DUPLICATE = "duplicate"
    TOO_MANY_TILES = "too_many_tiles"  # The job's tiles are too small for so large a picture.
    GROUND_RESOLUTION_UNKNOWN = "ground_resolution_unknown"  # Tiles in millimetres need it.
    NOT_STORABLE = "not_storable"  # The database refuses what the file or the classifier says, or its name.


class ChunkState(StrEnum):
    """The state of a chunk: claimable, leased to a worker, or closed."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"


class ChunkKind(StrEnum):
    """The work of a chunk."""

    VALIDATE = "validate"  # Check what arrived, reject what cannot run, cut the rest into chunks.
    INSPECT = "inspect"  # Read the heads of files: size, orientation, pose. Only for jobs that need them.
    CLASSIFY = "classify"  # Classify the images of a range of sequence numbers.
    PURGE = "purge"  # Remove the objects and then the rows of a deleted job.
    EXPORT = "export"  # Make one export of a job; the job neither waits for it nor ends it.
    EXPLAIN = "explain"  # Say why some tiles of an answered image have their labels; a client waits for it.


class Priority(StrEnum):
    """The priority of a job: interactive work is always claimed before bulk work."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Scope(StrEnum):
    """The scope of an API key. ``admin`` contains the other two."""

    SUBMIT = "submit"
    READ = "read"
    ADMIN = "admin"


class EventType(StrEnum):
    """The type of an event, which is written in the transaction that changes the state."""

    JOB_VALIDATED = "job.validated"
    JOB_STARTED = "job.started"
    JOB_PROGRESS = "job.progress"  # At most every ten seconds, only if a webhook subscribes to it; tried once.
    JOB_COMPLETED = "job.completed"
    JOB_COMPLETED_WITH_ERRORS = "job.completed_with_errors"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_EXPIRED = "job.expired"
    JOB_RETRIED = "job.retried"  # A job that was over runs its failed images again.
    WEBHOOK_DISABLED = "webhook.disabled"  # To the other endpoints of the tenant.
    WEBHOOK_TEST = "webhook.test"  # To the one endpoint that is tested.


TERMINAL_EVENT = {
    JobState.COMPLETED: EventType.JOB_COMPLETED,
    JobState.COMPLETED_WITH_ERRORS: EventType.JOB_COMPLETED_WITH_ERRORS,
    JobState.FAILED: EventType.JOB_FAILED,
    JobState.CANCELED: EventType.JOB_CANCELED,
    JobState.EXPIRED: EventType.JOB_EXPIRED,
}

# The events that an endpoint may subscribe to, and its events by default.
SUBSCRIBABLE_EVENTS = tuple(event for event in EventType if event is not EventType.WEBHOOK_TEST)
DEFAULT_EVENTS = tuple(event for event in SUBSCRIBABLE_EVENTS if event is not EventType.JOB_PROGRESS)


class DeliveryState(StrEnum):
    """The state of the delivery of one event to one endpoint."""

    PENDING = "pending"  # Waits for its next attempt, or for its endpoint to be enabled again.
    DELIVERED = "delivered"  # The receiver answered with 2xx.
    FAILED = "failed"  # Every attempt of the schedule failed; it can be redelivered.


class DisabledReason(StrEnum):
    """The reason why an endpoint is disabled."""

    BY_REQUEST = "by_request"
    GONE = "gone"  # It answered 410.
    FAILING = "failing"  # Nothing but failures for days.


class AttemptError(StrEnum):
    """The reason why an attempt to deliver has no status of the receiver."""

    TIMEOUT = "timeout"  # The whole of it took longer than the deadline.
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"  # The certificate is not good for the name, or TLS broke.
    NAME_NOT_FOUND = "name_not_found"
    ADDRESS_REFUSED = "address_refused"  # The name has an address to which webhooks are not allowed.
    URL_REFUSED = "url_refused"  # Scheme, port or form of the URL.
    REDIRECTED = "redirected"  # A 3xx, which is never followed; the attempt also has the status.
    ANSWER_BROKEN = "answer_broken"  # Not HTTP, or cut off.
