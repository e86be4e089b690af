"""What a running chunk may use."""

from dataclasses import dataclass
from uuid import UUID

from shared.db.session import Database
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.store import ObjectStore
from worker.inference.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of this process that every chunk shares: one model, one set of threads, one pool of connections."""

    settings: Settings
    database: Database
    store: ObjectStore
    wakeups: Wakeups
    pipeline: Pipeline
    classifier_id: UUID
    name: str
