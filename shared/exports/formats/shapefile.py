"""Shapefile, zipped (ESRI, "Shapefile Technical Description", 1998): points on WGS 84, texts in UTF-8.

Every image is a record. One without a position has a null shape, which the format has for this. Names of fields have
ten letters and texts 254 bytes at most; ``results.txt`` in the archive says which field is what, and what was cut.
"""

import re
import tempfile
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapefile

from shared.contracts.exports import ExportFormat
from shared.errors import InvalidRequest
from shared.exports.columns import Column, Kind, Record, text_of
from shared.exports.format import Format
from shared.exports.pieces import pieces_of
from shared.exports.rows import Page
from shared.exports.sheet import Sheet
from shared.times import rfc3339

STEM = "results"
NAME_LENGTH = 10
TEXT = "C"  # the type of a field
TEXT_BYTES = 254
NUMBER_LENGTH = 19
TIME_LENGTH = 27  # 2026-06-01T08:01:05.123456Z
INTEGER_LENGTH = 9  # GDAL makes a 32-bit number of it
METADATA_DIGITS = 6
# Lengths and offsets in the files are 32-bit numbers; other software reads them with a sign.
MAX_BYTES = 2**31 - 1
MAX_FIELDS = 255
PADDING = " \0"
MAX_RECORD_BYTES = 65_535
POINT_BYTES = 28  # one record of the .shp file
WGS_84 = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
CROSSES_180 = (
    "The images lie on both sides of the 180th meridian. The box in the header of a shapefile cannot say that, so it",
    "spans the whole Earth; geojson and geoparquet have the small one.",
)
SHORT_NAMES: Mapping[str, str] = {
    "needs_review": "review",
    "review_reason": "reason",
    "corrected_label": "corr_label",
    "correction_note": "corr_note",
    "corrected_by": "corr_by",
    "captured_at": "captured",
    "position_source": "pos_source",
    "position_fault": "pos_fault",
    "error_code": "error",
    "error_detail": "error_text",
    "classifier_version": "version",
    "metadata_more": "meta_more",
    "finished_at": "finished",
    "tiles_counted": "tiles_cnt",
}
# Prefixes of columns with a name of their own: what tells those apart needs the room.
SHORT_PREFIXES: Mapping[str, str] = {"meta_": "m_", "tiles_": "t_"}


@dataclass(slots=True)
class Lost:
    """Counts of values that the format could not hold whole."""

    texts: int = 0
    numbers: int = 0


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of the .dbf file, by the terms of that format."""

    name: str
    column: Column
    type: str
    size: int
    decimals: int = 0


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """Yield an archive of .shp, .shx, .dbf, .prj, .cpg and a text for people."""
    fields = fields_of(sheet.flat_columns)
    _check(sheet, fields)
    with tempfile.TemporaryDirectory(prefix="phytobatch-export-") as name:
        folder = Path(name)
        lost = _write(folder / STEM, fields, pages)
        (folder / f"{STEM}.prj").write_text(WGS_84, encoding="ascii")
        (folder / f"{STEM}.cpg").write_text("UTF-8", encoding="ascii")
        (folder / f"{STEM}.txt").write_text(_explanation(sheet, fields, lost), encoding="utf-8", newline="\r\n")
        archive = folder / f"{STEM}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as zipped:
            for suffix in ("shp", "shx", "dbf", "prj", "cpg", "txt"):
                part = folder / f"{STEM}.{suffix}"
                zipped.write(part, part.name)
                part.unlink()
        yield from pieces_of(archive)


def fields_of(columns: Sequence[Column]) -> list[FieldOf]:
    """Make a field for each column, with names that differ also where case does not count."""
    taken: set[str] = set()
    return [_field(column, _free(_short(column.name), taken)) for column in columns]


def _short(name: str) -> str:
    short = SHORT_NAMES.get(name) or next(
        (brief + name.removeprefix(prefix) for prefix, brief in SHORT_PREFIXES.items() if name.startswith(prefix)), name
    )
    return re.sub(r"[^A-Za-z0-9_]", "_", short)[:NAME_LENGTH]


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate.lower() in taken:
        candidate = f"{name[: NAME_LENGTH - len(str(number))]}{number}"
        number += 1
    taken.add(candidate.lower())
    return candidate


def _field(column: Column, name: str) -> FieldOf:
    match column.kind:
        case Kind.INTEGER:
            return FieldOf(name, column, "N", INTEGER_LENGTH + 1)
        case Kind.NUMBER:
            digits = METADATA_DIGITS if column.digits is None else column.digits
            return FieldOf(name, column, "N", NUMBER_LENGTH, digits)
        case Kind.FLAG:
            return FieldOf(name, column, "L", 1)
        case Kind.TIME:
            return FieldOf(name, column, TEXT, TIME_LENGTH)
        case _:
            return FieldOf(name, column, TEXT, min(TEXT_BYTES, max(1, column.width or TEXT_BYTES)))


def _check(sheet: Sheet, fields: Sequence[FieldOf]) -> None:
    record = 1 + sum(field.size for field in fields)
    if len(fields) > MAX_FIELDS or record > MAX_RECORD_BYTES:
        raise InvalidRequest(
            f"a shapefile has at most {MAX_FIELDS} fields and {MAX_RECORD_BYTES} bytes in a record, this one would "
            f"have {len(fields)} and {record}; use geoparquet or geojson",
            code="export-does-not-fit",
        )
    if max(record, POINT_BYTES) * sheet.rows > MAX_BYTES:
        raise InvalidRequest(
            f"a file of a shapefile has at most 2 GB, {sheet.rows} images of {record} bytes need more; use geoparquet "
            "or geojson, or export one class at a time",
            code="export-does-not-fit",
        )


def _write(stem: Path, fields: Sequence[FieldOf], pages: Iterator[Page]) -> Lost:
    lost = Lost()
    with ExitStack() as files:
        shp, shx, dbf = (
            files.enter_context(stem.with_suffix(f".{part}").open("w+b")) for part in ("shp", "shx", "dbf")
        )
        with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POINT, encoding="utf-8") as writer:
            for field in fields:
                writer.field(field.name, field.type, size=field.size, decimal=field.decimals)
            for page in pages:
                for record in page:
                    _add(writer, record, fields, lost)
    return lost


def _add(writer: shapefile.Writer, record: Record, fields: Sequence[FieldOf], lost: Lost) -> None:
    if record.longitude is None or record.latitude is None:
        writer.null()
    else:
        writer.point(round(record.longitude, 7), round(record.latitude, 7))
    writer.record(*[_value(field, field.column.read(record), lost) for field in fields])


def _value(field: FieldOf, value: Any, lost: Lost) -> Any:  # noqa: ANN401  # whatever a column has
    if value is None:
        return "" if field.type == TEXT else None  # pyshp would write the word None
    return VALUES[field.column.kind](field, value, lost)


def _number(field: FieldOf, value: float, lost: Lost) -> float | None:
    if len(f"{value:.{field.decimals}f}") <= field.size:
        return value
    lost.numbers += 1
    return None


def _text(field: FieldOf, value: str, lost: Lost) -> str:
    # Fields are filled up with spaces, so spaces at the end of a text cannot be told from these.
    kept = value.encode()[: field.size].decode(errors="ignore").rstrip(PADDING)
    lost.texts += kept != value
    return kept


VALUES: Mapping[Kind, Callable[[FieldOf, Any, Lost], Any]] = {
    Kind.INTEGER: lambda _field, value, _lost: value,
    Kind.NUMBER: _number,
    Kind.FLAG: lambda _field, value, _lost: value,
    Kind.TEXT: _text,
    Kind.TIME: lambda _field, value, _lost: rfc3339(value),
    # As text: of a number of more than fifteen digits other software makes a float.
    Kind.LONG: lambda field, value, lost: _text(field, text_of(value), lost),
    Kind.JSON: lambda field, value, lost: _text(field, text_of(value), lost),
}


def _explanation(sheet: Sheet, fields: Sequence[FieldOf], lost: Lost) -> str:
    lines = [
        f"Job {sheet.job_id}: {sheet.rows} images, {sheet.positioned} with a position.",
        f"{sheet.rows - sheet.positioned} without a position have a null shape; the field pos_fault says why.",
        f"{lost.texts} texts were cut to the size of their field, {lost.numbers} numbers were too long and left out;",
        "the formats csv, ndjson, geojson and parquet have them whole.",
        *(CROSSES_180 if sheet.extent is not None and sheet.extent.crosses_180 else ()),
        "",
        *(f"{field.name:<{NAME_LENGTH}}  {field.column.name}" for field in fields),
    ]
    return "\n".join(lines) + "\n"


FORMAT = Format(ExportFormat.SHAPEFILE, "application/zip", ".shp.zip", encode, accepts=("application/x-shapefile",))
