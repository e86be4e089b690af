"""Names of objects. What a client calls a file never becomes part of a key."""

import uuid

UPLOADS = "uploads"
MODELS = "models"
EXPORTS = "exports"


def upload_prefix(job_id: uuid.UUID) -> str:
    """Everything that was uploaded for a job lies below."""
    return f"{UPLOADS}/{job_id}/"


def upload_key(job_id: uuid.UUID, seq: int) -> str:
    """The object of one uploaded image."""
    return f"{upload_prefix(job_id)}{seq:08d}"


def model_key(name: str, version: str, file: str) -> str:
    """The object of one file of a published classifier."""
    return f"{MODELS}/{name}/{version}/{file}"


def exports_prefix(job_id: uuid.UUID) -> str:
    """Every export of a job lies below."""
    return f"{EXPORTS}/{job_id}/"


def export_prefix(job_id: uuid.UUID, export_id: uuid.UUID) -> str:
    """What the attempts at one export wrote lies below."""
    return f"{exports_prefix(job_id)}{export_id}/"


def export_key(job_id: uuid.UUID, export_id: uuid.UUID, token: int) -> str:
    """The object of one attempt at an export: a worker that was overtaken never writes over its successor's."""
    return f"{export_prefix(job_id, export_id)}{token}"


def token_of(key: str) -> int:
    """The token of the attempt that wrote an export."""
    return int(key.rpartition("/")[2])
