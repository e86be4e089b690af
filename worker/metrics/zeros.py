"""The series that a worker shows from its start."""

from itertools import product

from shared.contracts.exports import ExportFormat
from shared.contracts.states import ChunkKind, ImageErrorCode, ImageStatus
from shared.metrics.definitions import (
    CHUNK_ATTEMPTS,
    CHUNKS_ENDED,
    EXPORT_SECONDS,
    EXPORTS_ENDED,
    IMAGES,
    STAGE_SECONDS,
)
from shared.metrics.exposition import Zeros
from shared.storage.s3_call import STORE_ZEROS
from worker.exports.outcome import ExportOutcome
from worker.inference.observer import Stage
from worker.jobs.outcome import ChunkOutcome
from worker.metrics.stages import WRITE

WORKER_ZEROS: Zeros = {
    IMAGES: [(ImageStatus.SUCCEEDED, ""), *product((ImageStatus.FAILED, ImageStatus.REJECTED), ImageErrorCode)],
    CHUNK_ATTEMPTS: [(kind,) for kind in ChunkKind],
    CHUNKS_ENDED: list(product(ChunkKind, ChunkOutcome)),
    STAGE_SECONDS: [(stage,) for stage in (*Stage, WRITE)],
    EXPORTS_ENDED: list(product(ExportFormat, ExportOutcome)),
    EXPORT_SECONDS: [(form,) for form in ExportFormat],
    **STORE_ZEROS,
}
