"""The content of a receipt: what was removed, and why."""

from enum import StrEnum


class Removed(StrEnum):
    """The part of a job that was removed."""

    JOB = "job"  # Everything: uploads, exports, images, results, events.
    ORIGINALS = "originals"  # The uploaded files; the results stay.


class RemovalReason(StrEnum):
    """The reason of a removal."""

    REQUESTED = "requested"  # A client deleted the job.
    OPERATOR = "operator"  # The operator did.
    RETENTION = "retention"  # Its retention time was over.
    NEVER_COMMITTED = "never_committed"  # The uploads of a draft that expired or was canceled.
    UPLOAD_FAILED = "upload_failed"  # An upload through the API broke off; the job never became visible.
