"""A CSV file with a line for each image. Columns that are not about the place become metadata of the image.

The separator is the most frequent one of comma, semicolon and tab in the header; with the last two, a decimal comma is
read too, as spreadsheets write it in half of the world.
"""

import csv
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING

from shared.contracts.metadata import IMAGE_METADATA_BYTES, bounded_json
from shared.geography.sidecar.row import (
    SidecarInvalid,
    SidecarRow,
    degrees,
    heading,
    height_above_ground,
    moment,
    number,
)

if TYPE_CHECKING:
    from _csv import Reader

MAX_COLUMNS = 200
SEPARATORS = ",;\t"
IN_A_REQUEST = bounded_json(IMAGE_METADATA_BYTES)
ALIASES = MappingProxyType(
    {
        "name": "name", "filename": "name", "file": "name", "image": "name",
        "latitude": "latitude", "lat": "latitude",
        "longitude": "longitude", "lon": "longitude", "lng": "longitude", "long": "longitude",
        "altitude": "altitude", "alt": "altitude",
        "heading": "heading", "yaw": "heading",
        "captured_at": "captured_at",
        "height_above_ground": "height_above_ground", "agl": "height_above_ground",
        "relative_altitude": "height_above_ground", "relativealtitude": "height_above_ground",
    }
)  # fmt: skip
VALUES: MappingProxyType[str, Callable[[str, int], object]] = MappingProxyType(
    {
        "latitude": lambda text, line: degrees(text, line, "latitude", 90),
        "longitude": lambda text, line: degrees(text, line, "longitude", 180),
        "altitude": lambda text, line: number(text, line, "altitude"),
        "heading": heading,
        "captured_at": moment,
        "height_above_ground": height_above_ground,
    }
)
NUMBERS = frozenset(VALUES) - {"captured_at"}


def is_header(line: str) -> bool:
    """Return True if a line has a column for the names of images."""
    try:
        return "name" in {ALIASES.get(cell.strip().lower()) for cell in _cells(line)}
    except csv.Error:  # A cell of more than 131,072 characters.
        return False


def read_table(lines: list[str], *, header: int) -> list[SidecarRow]:
    """Read the rows behind a header, which stands in ``lines[header]``.

    Raises:
        SidecarInvalid: a header or a line that cannot be read.
    """
    separator = _separator(lines[header])
    reader = csv.reader(lines[header:], delimiter=separator)
    try:
        columns = _columns(next(reader))
        return list(_rows(reader, header, columns, decimal_comma=separator != ","))
    except csv.Error as error:
        raise SidecarInvalid(f"line {header + reader.line_num}: {error}") from error


def _rows(reader: "Reader", before: int, columns: list[str], *, decimal_comma: bool) -> Iterator[SidecarRow]:
    for cells in reader:
        line = before + reader.line_num
        values = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise SidecarInvalid(f"line {line} has more cells than the header; put quotes around text with a separator")
        if values:
            yield _row(values, line, decimal_comma=decimal_comma)


def _row(cells: dict[str, str], line: int, *, decimal_comma: bool) -> SidecarRow:
    name = cells.pop("name", "")
    if not name:
        raise SidecarInvalid(f"line {line} has no name of an image")
    if ("latitude" in cells) != ("longitude" in cells):
        raise SidecarInvalid(f"line {line}: latitude and longitude must come together; one alone is no position")
    values = {}
    for column in VALUES.keys() & cells.keys():
        text = cells.pop(column)
        text = text.replace(",", ".") if decimal_comma and column in NUMBERS else text
        values[column] = VALUES[column](text, line)
    try:
        IN_A_REQUEST(cells)
    except ValueError as error:
        raise SidecarInvalid(f"line {line}: the metadata of an image {error}") from error
    return SidecarRow(line, name, metadata=cells, **values)  # type: ignore[arg-type]  # VALUES has the types


def _columns(header: list[str]) -> list[str]:
    """Return our names of the known columns, and the names of the others as they are."""
    columns = [ALIASES.get(cell.strip().lower(), cell.strip()) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise SidecarInvalid(f"the header has {len(columns)} columns, at most {MAX_COLUMNS} are read")
    if "" in columns:
        raise SidecarInvalid(f"column {columns.index('') + 1} of the header has no name")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise SidecarInvalid(f"the header has two columns for {twice!r}; leave one out")
    return columns


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _cells(header: str) -> list[str]:
    return next(csv.reader([header], delimiter=_separator(header)), [])
