"""One file for each format. A new format is one new file and one line in this table."""

from collections.abc import Mapping

from shared.contracts.exports import ExportFormat
from shared.exports.formats import csv_format, geojson, geoparquet, kml, ndjson, parquet, shapefile_zip
from shared.exports.formats.format import Format

FORMATS: Mapping[ExportFormat, Format] = {
    one.name: one
    for one in (
        csv_format.FORMAT,
        ndjson.FORMAT,
        geojson.FORMAT,
        shapefile_zip.FORMAT,
        kml.FORMAT,
        parquet.FORMAT,
        geoparquet.FORMAT,
    )
}
