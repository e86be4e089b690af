"""The formats of exports, as the server names them, and the suffixes of files that ask for them."""

from __future__ import annotations

from pathlib import Path

from phytobatch.errors import ConfigurationError

FORMATS = ("csv", "ndjson", "geojson", "shapefile", "kml", "parquet", "geoparquet")
CONTENTS = ("results", "tiles")
TEXT_FORMATS = ("csv", "ndjson", "geojson", "kml")
# The longest suffix that fits counts.
FORMAT_OF_SUFFIX = {
    ".geo.parquet": "geoparquet",
    ".geoparquet": "geoparquet",
    ".parquet": "parquet",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".geojson": "geojson",
    ".zip": "shapefile",
    ".kml": "kml",
}


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises:
        ConfigurationError: no format has that suffix.
    """
    lower = path.name.lower()
    name = next((name for suffix, name in FORMAT_OF_SUFFIX.items() if lower.endswith(suffix)), None)
    if name is None:
        raise ConfigurationError(f"{path}: give it a name that ends in one of {', '.join(FORMAT_OF_SUFFIX)}.")
    return name
