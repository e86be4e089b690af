"""Exports: the formats that clients may ask for, and the states of an export that is made beside the requests."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """The formats; each is the file of that name in ``shared/exports/formats``."""

    CSV = "csv"
    NDJSON = "ndjson"
    GEOJSON = "geojson"
    SHAPEFILE = "shapefile"  # Zipped.
    KML = "kml"
    PARQUET = "parquet"
    GEOPARQUET = "geoparquet"


class ExportState(StrEnum):
    """Where an export is on its way."""

    QUEUED = "queued"
    RUNNING = "running"  # A worker writes it.
    COMPLETED = "completed"  # It lies in the object store until it expires.
    FAILED = "failed"
