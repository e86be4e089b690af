"""Names of objects. A client's file name never becomes part of a key."""

import uuid

UPLOADS = "uploads"
MODELS = "models"
EXPORTS = "exports"


def upload_prefix(job_id: uuid.UUID) -> str:
    """Return the prefix of everything that was uploaded for a job."""
    return f"{UPLOADS}/{job_id}/"


def upload_key(job_id: uuid.UUID, seq: int) -> str:
    """Return the key of one uploaded image."""
    return f"{upload_prefix(job_id)}{seq:08d}"


def model_key(name: str, version: str, file: str) -> str:
    """Return the key of one file of a published classifier."""
    return f"{MODELS}/{name}/{version}/{file}"


def exports_prefix(job_id: uuid.UUID) -> str:
    """Return the prefix of every export of a job."""
    return f"{EXPORTS}/{job_id}/"


def export_prefix(job_id: uuid.UUID, export_id: uuid.UUID) -> str:
    """Return the prefix of all attempts at one export."""
    return f"{exports_prefix(job_id)}{export_id}/"


def export_key(job_id: uuid.UUID, export_id: uuid.UUID, token: int) -> str:
    """Return the key of one attempt at an export: a worker that lost its lease never overwrites its successor's."""
    return f"{export_prefix(job_id, export_id)}{token}"


def token_of(key: str) -> int:
    """Return the token of the attempt that wrote an export."""
    return int(key.rpartition("/")[2])
