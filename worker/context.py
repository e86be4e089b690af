"""The context of running chunks."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.db.session import Database
from shared.queue import Wakeups
from shared.settings import Settings
from shared.storage.store import ObjectStore
from worker.inference.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of this process that all chunks share: each classifier once, its threads, one pool of connections."""

    settings: Settings
    database: Database
    store: ObjectStore
    wakeups: Wakeups
    # By the pool of their chunks.
    pipelines: Mapping[str, Pipeline]
    name: str
