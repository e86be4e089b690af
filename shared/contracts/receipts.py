"""What a receipt says: what was removed, and why."""

from enum import StrEnum


class Removed(StrEnum):
    """What is gone."""

    JOB = "job"  # Everything: uploads, exports, images, results, events.
    ORIGINALS = "originals"  # The uploaded files; the results stay.


class RemovalReason(StrEnum):
    """Why it is gone."""

    REQUESTED = "requested"  # A client deleted the job.
    OPERATOR = "operator"  # The operator did.
    RETENTION = "retention"  # It was kept as long as it was to be.
    NEVER_COMMITTED = "never_committed"  # The uploads of a draft that expired or was canceled.
    UPLOAD_FAILED = "upload_failed"  # An upload through the API broke off; nobody ever saw the job.
