"""``geo.txt`` as OpenDroneMap reads it: a line that names the projection, then ``name x y [z [yaw ...]]``.

x is the longitude and y the latitude. Values behind the yaw (pitch, roll, accuracies) are ignored. OpenDroneMap has no
names with blanks; here one is read if a tab follows it, if it ends like that of an image, or in quotes.
"""

import re
from collections.abc import Iterator

from shared.contracts.file_names import is_image_name
from shared.geography.sidecar.row import SidecarInvalid, SidecarRow, degrees, heading, number

FIRST_LINE = re.compile(r"(epsg\s*:|wgs\s*84|\+proj|\+init)", re.IGNORECASE)
_WGS84 = re.compile(
    r"epsg\s*:\s*(4326|4979)|wgs\s*84|(?=.*\+proj=(longlat|latlong)\b)(?=.*\+(datum|ellps)=wgs84\b).*|\+init=epsg:4326.*",
    re.IGNORECASE,
)
MIN_VALUES = 2  # x, y
_QUOTED = re.compile(r'"([^"]+)"\s+(.+)')
_WORD = re.compile(r"\S+")


def read_geo_txt(lines: list[str]) -> list[SidecarRow]:
    """Read the rows of a file whose first line with content names the projection.

    Raises:
        SidecarInvalid: another projection than WGS 84 in degrees, or a line that cannot be read.
    """
    (first, header), *rest = [(at, line) for at, line in enumerate(lines, start=1) if _has_content(line)]
    projection = " ".join(header.split())
    if not _WGS84.fullmatch(projection):
        raise SidecarInvalid(
            f"line {first}: the projection is {projection[:80]!r}; only EPSG:4326 is read (WGS 84, longitude and "
            "latitude in degrees): convert the file, for example with gdaltransform -t_srs EPSG:4326"
        )
    return [_row(at, line) for at, line in rest]


def _has_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _row(number_of_line: int, line: str) -> SidecarRow:
    for name, values in _splits(line):
        if len(values) >= MIN_VALUES and all(map(_is_number, values[:MIN_VALUES])):
            return _located(number_of_line, name, values)
    raise SidecarInvalid(
        f"line {number_of_line}: {' '.join(line.split())[:80]!r} is not `name longitude latitude`; a name with blanks "
        "is read where a tab follows it, where it ends like an image (.jpg), or in quotes"
    )


def _splits(line: str) -> Iterator[tuple[str, list[str]]]:
    """Cut the line into a name and values in each way that is possible, the likeliest first."""
    if quoted := _QUOTED.match(line.strip()):
        yield quoted[1], quoted[2].split()
    first, tab, rest = line.strip().partition("\t")
    if tab:
        yield first.strip(), rest.split()
    words = list(_WORD.finditer(line))
    for word in words:
        if is_image_name(word[0]):
            yield line[words[0].start() : word.end()], line[word.end() :].split()
    yield words[0][0], line[words[0].end() :].split()


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _located(line: int, name: str, values: list[str]) -> SidecarRow:
    x, y, *more = values
    return SidecarRow(
        line,
        name,
        latitude=degrees(y, line, "latitude", 90),
        longitude=degrees(x, line, "longitude", 180),
        altitude=number(more[0], line, "altitude") if more else None,
        heading=heading(more[1], line) if len(more) > 1 else None,
    )
