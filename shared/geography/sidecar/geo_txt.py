"""``geo.txt`` as OpenDroneMap reads it: a line that names the projection, then ``name x y [z [yaw ...]]``.

x is the longitude and y the latitude. What follows the yaw (pitch, roll, accuracies) is passed over.
"""

import re

from shared.geography.sidecar.row import SidecarInvalid, SidecarRow, degrees, heading, number

FIRST_LINE = re.compile(r"(epsg\s*:|wgs\s*84|\+proj|\+init)", re.IGNORECASE)
_WGS84 = re.compile(
    r"epsg\s*:\s*(4326|4979)|wgs\s*84|(?=.*\+proj=(longlat|latlong)\b)(?=.*\+(datum|ellps)=wgs84\b).*|\+init=epsg:4326.*",
    re.IGNORECASE,
)
LEAST = 3  # name, x, y


def read_geo_txt(lines: list[str]) -> list[SidecarRow]:
    """The rows of a file whose first line with content names the projection.

    Raises:
        SidecarInvalid: another projection than WGS 84 in degrees, or a line that cannot be read.
    """
    content = [(at, line.split()) for at, line in enumerate(lines, start=1) if _has_content(line)]
    (first, header), *rest = content
    projection = " ".join(header)
    if not _WGS84.fullmatch(projection):
        raise SidecarInvalid(
            f"line {first}: the projection is {projection[:80]!r}; only EPSG:4326 is read (WGS 84, longitude and "
            "latitude in degrees): convert the file, for example with gdaltransform -t_srs EPSG:4326"
        )
    return [_row(line, parts) for line, parts in rest]


def _has_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _row(line: int, parts: list[str]) -> SidecarRow:
    if len(parts) < LEAST:
        raise SidecarInvalid(f"line {line}: {' '.join(parts)[:80]!r} is not `name longitude latitude`")
    name, x, y, *more = parts
    return SidecarRow(
        line,
        name,
        latitude=degrees(y, line, "latitude", 90),
        longitude=degrees(x, line, "longitude", 180),
        altitude=number(more[0], line, "altitude") if more else None,
        heading=heading(more[1], line) if len(more) > 1 else None,
    )
