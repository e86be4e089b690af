"""A sidecar of either kind, told apart by its first line."""

import io
from pathlib import PurePosixPath

from shared.contracts.encoded import decoded
from shared.geography.sidecar.geo_txt import FIRST_LINE, read_geo_txt
from shared.geography.sidecar.row import SidecarInvalid, SidecarRow
from shared.geography.sidecar.table import is_header, read_table

# In the order in which they are read: the position of the later one counts.
NAMES = ("geo.txt", "images.csv")


def is_sidecar(path: str) -> bool:
    """Return True if a file of this name next to images is a sidecar."""
    return PurePosixPath(path).name.lower() in NAMES


def folder_of(path: str) -> str:
    """Return the folder that a sidecar is about: its own, ending with ``/``, or nothing."""
    return path[: len(path) - len(PurePosixPath(path).name)]


def order_of(path: str) -> int:
    """Return the place of a sidecar in the order of reading."""
    return NAMES.index(PurePosixPath(path).name.lower())


def read_sidecar(data: bytes) -> list[SidecarRow]:
    """Read the rows of a ``geo.txt`` or a CSV file, one for each image.

    Raises:
        SidecarInvalid: it is neither, or a line cannot be read; the sentence names the line and the reason.
    """
    lines = _lines(data)
    at, first = next(((at, line) for at, line in enumerate(lines) if line.strip() and line[0] != "#"), (0, ""))
    if FIRST_LINE.match(first.strip()):
        rows = read_geo_txt(lines)
    elif is_header(first):
        rows = read_table(lines, header=at)
    else:
        raise SidecarInvalid(
            f"the first line is {first.strip()[:80]!r}; a geo.txt begins with EPSG:4326, a CSV with a header that has "
            "a column `filename`"
        )
    _check_names(rows)
    return rows


def _lines(data: bytes) -> list[str]:
    try:
        text = decoded(data)
    except ValueError as error:
        raise SidecarInvalid(str(error)) from error
    if "\0" in text:
        raise SidecarInvalid("the file contains the character U+0000; save it as plain text in UTF-8")
    return list(io.StringIO(text, newline=None))


def _check_names(rows: list[SidecarRow]) -> None:
    first: dict[str, int] = {}
    for row in rows:
        if first.setdefault(row.name, row.line) != row.line:
            raise SidecarInvalid(f"line {row.line}: {row.name[:80]!r} stands in line {first[row.name]} already")
