"""All tables. Importing this package fills ``Base.metadata``, which Alembic compares with the database."""

from shared.db.models.access import ApiKey, IdempotencyKey, Tenant
from shared.db.models.audit import AuditEntry
from shared.db.models.backup import Backup
from shared.db.models.chunk import Chunk
from shared.db.models.classifier import Classifier
from shared.db.models.correction import Correction, CorrectionEntry
from shared.db.models.event import Event
from shared.db.models.export import Export
from shared.db.models.image import Image, ImageHead
from shared.db.models.job import Job
from shared.db.models.pause import Pause
from shared.db.models.program import Program
from shared.db.models.receipt import Receipt
from shared.db.models.result import Result, TileExplanation, TileMapRow
from shared.db.models.webhook import SigningSecret, WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Backup",
    "Chunk",
    "Classifier",
    "Correction",
    "CorrectionEntry",
    "Event",
    "Export",
    "IdempotencyKey",
    "Image",
    "ImageHead",
    "Job",
    "Pause",
    "Program",
    "Receipt",
    "Result",
    "SigningSecret",
    "Tenant",
    "TileExplanation",
    "TileMapRow",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
