"""What became of an export that was claimed."""

from enum import StrEnum


class ExportOutcome(StrEnum):
    """The words of the metric ``phytobatch_exports_total``."""

    MADE = "made"
    FAILED = "failed"  # The format cannot hold it; the client reads why.
    HANDED_BACK = "handed_back"  # The process stops, or a server is away; the attempt does not count.
    OUTDATED = "outdated"  # The job was retried meanwhile; the next attempt has all of it.
    LEASE_LOST = "lease_lost"  # It belongs to another worker, or was deleted.
    FAULT = "fault"  # An error of ours; the attempt counts.
