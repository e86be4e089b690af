"""How the work on a claimed chunk ends."""

from enum import StrEnum


class ChunkOutcome(StrEnum):
    """The words of the metric ``phytobatch_chunks_total``."""

    FINISHED = "finished"
    CANCELED = "canceled"  # Its job was canceled; what was finished is kept.
    HANDED_BACK = "handed_back"  # The process stops, or a server is away; the attempt does not count.
    SET_ASIDE = "set_aside"  # Only pictures are left that are decoded in processes; another slot takes them.
    LEASE_LOST = "lease_lost"  # It belongs to another worker.
    FAULT = "fault"  # An error of ours; the attempt counts.


class SourceRejected(Exception):
    """The source of an import cannot be used; ``code`` and the sentence go onto the job."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
