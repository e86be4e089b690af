"""The outcomes of a claimed chunk, and the exceptions by which a runner requests them.

A runner that returns has closed its chunk. One that raises leaves that to ``worker.loop.chunk``, which has
one table of exceptions and outcomes.
"""

from enum import StrEnum


class ChunkOutcome(StrEnum):
    """The outcome of a claimed chunk, as the metric ``phytobatch_chunks_total`` counts it."""

    FINISHED = "finished"
    CANCELED = "canceled"  # Its job was canceled; what was finished is kept.
    HANDED_BACK = "handed_back"  # The process stops, or a server is away; the attempt does not count.
    SET_ASIDE = "set_aside"  # Only pictures are left that are decoded in processes; another slot takes them.
    OUTDATED = "outdated"  # An export whose job was retried meanwhile; the attempt counts.
    LEASE_LOST = "lease_lost"  # It belongs to another worker.
    FAULT = "fault"  # An error of ours; the attempt counts.


class CancelRequested(Exception):
    """The job is to be canceled: close the chunk with what is finished."""


class StopRequested(Exception):
    """The process is to stop: hand the chunk back with what is finished."""


class TurnOver(Exception):
    """Other tenants wait for the slot: hand the chunk back with what is finished, and let them go first."""


class SourceRejected(Exception):
    """The source of an import cannot be used; ``code`` and the sentence go onto the job."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class NotRepresentable(Exception):
    """The format of an export cannot hold it; the sentence goes to the client."""


class ExportOutdated(Exception):
    """The job of an export was retried meanwhile: the next attempt has all of it."""
