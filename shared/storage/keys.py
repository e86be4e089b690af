"""Names of objects. What a client calls a file never becomes part of a key."""

import uuid

UPLOADS = "uploads"


def upload_prefix(job_id: uuid.UUID) -> str:
    """Everything that was uploaded for a job lies below."""
    return f"{UPLOADS}/{job_id}/"


def upload_key(job_id: uuid.UUID, seq: int) -> str:
    """The object of one uploaded image."""
    return f"{upload_prefix(job_id)}{seq:08d}"
