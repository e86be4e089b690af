"""Exports: the contents and formats that clients may request, and the states and errors of a background export."""

from enum import StrEnum


# Each is the file of that name in ``shared/exports/formats``.
class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "csv"
    NDJSON = "ndjson"
    GEOJSON = "geojson"
    SHAPEFILE = "shapefile"  # Zipped.
    KML = "kml"
    PARQUET = "parquet"
    GEOPARQUET = "geoparquet"


class ExportContent(StrEnum):
    """The thing of which each is a row of an export."""

    RESULTS = "results"  # An image with its answer.
    TILES = "tiles"  # A tile of an image that is answered by tiles.


class ExportState(StrEnum):
    """The state of a background export."""

    QUEUED = "queued"
    RUNNING = "running"  # A worker writes it.
    COMPLETED = "completed"  # It lies in the object store until it expires.
    FAILED = "failed"


class ExportErrorCode(StrEnum):
    """The reason why an export has no file, for operators; clients read its sentence."""

    NOT_REPRESENTABLE = "not_representable"  # The format cannot hold it; another one can.
    WORKER_CRASHED = "worker_crashed"  # Every attempt lost its worker, or ended with an error of ours.


class ExportOutcome(StrEnum):
    """The words of the metric ``phytobatch_exports_total``."""

    MADE = "made"
    FAILED = "failed"  # The format cannot hold it; the client reads why.
    HANDED_BACK = "handed_back"  # The process stops, or a server is away; the attempt does not count.
    OUTDATED = "outdated"  # The job was retried meanwhile; the next attempt has all of it.
    LEASE_LOST = "lease_lost"  # It belongs to another worker, or was deleted.
    FAULT = "fault"  # An error of ours; the attempt counts.
    GIVEN_UP = "given_up"  # Every attempt was lost; it is a dead letter now.
