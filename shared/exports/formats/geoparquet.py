"""GeoParquet 1.1: Parquet with a column of points as WKB.

No ``crs`` in its metadata means OGC:CRS84, longitude and latitude on WGS 84 (specification 1.1.0, "crs").
"""

import json
import struct
from collections.abc import Generator, Iterator

from arro3.core import Array, DataType

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Record
from shared.exports.format import Format
from shared.exports.formats import parquet
from shared.exports.rows import Page
from shared.exports.sheet import Sheet

GEOMETRY = "geometry"
# Well-known binary: little-endian, type 1 (point), x, y (OGC 06-103r4, section 8.2).
POINT = struct.Struct("<BIdd")
LITTLE_ENDIAN, POINT_TYPE = 1, 1


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """Yield a GeoParquet file; the geometry of an image without a position is null."""
    metadata = {"geo": json.dumps(_metadata(sheet))}
    return parquet.write(sheet, pages, geometry=(GEOMETRY, _points), metadata=metadata)


def _metadata(sheet: Sheet) -> dict[str, object]:
    column: dict[str, object] = {"encoding": "WKB", "geometry_types": ["Point"]}
    if sheet.extent is not None:
        column["bbox"] = sheet.extent.bbox
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def _points(page: Page) -> Array:
    return Array([_point(record) for record in page], DataType.binary())


def _point(record: Record) -> bytes | None:
    if record.longitude is None or record.latitude is None:
        return None
    return POINT.pack(LITTLE_ENDIAN, POINT_TYPE, round(record.longitude, 7), round(record.latitude, 7))


FORMAT = Format(
    ExportFormat.GEOPARQUET,
    "application/vnd.apache.parquet",
    ".geo.parquet",
    encode,
    accepts=("application/x-geoparquet", "application/vnd.apache.parquet+geo"),
)
