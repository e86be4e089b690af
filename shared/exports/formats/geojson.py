"""GeoJSON (RFC 7946): a feature for each image, longitude first, WGS 84, seven decimals.

An image without a position is a feature whose geometry is ``null`` (section 3.2). The altitude is a property and no
third coordinate: that would be a height above the ellipsoid, and cameras write one above the sea.
"""

from collections.abc import Generator, Iterator
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Record
from shared.exports.format import Format
from shared.exports.json_rows import members_of, to_json
from shared.exports.rows import Page
from shared.exports.sheet import Sheet


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """Yield one feature in each line."""
    members = members_of(sheet.readable_columns)
    yield _head(sheet).encode()
    comma = ""
    for page in pages:
        features = ",\n".join(to_json(_feature(record, members(record))) for record in page)
        yield f"{comma}{features}".encode()
        comma = ",\n"
    yield b"\n]}\n"


def _head(sheet: Sheet) -> str:
    box = "" if sheet.extent is None else f'"bbox":{to_json(sheet.extent.bbox)},'
    return f'{{"type":"FeatureCollection",{box}"features":[\n'


def _feature(record: Record, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": record.seq, "geometry": _geometry(properties), "properties": properties}


def _geometry(properties: dict[str, Any]) -> dict[str, Any] | None:
    longitude, latitude = properties["longitude"], properties["latitude"]
    if longitude is None or latitude is None:
        return None
    return {"type": "Point", "coordinates": [longitude, latitude]}


FORMAT = Format(ExportFormat.GEOJSON, "application/geo+json", ".geojson", encode, accepts=("application/vnd.geo+json",))
