"""CSV (RFC 4180): UTF-8 with a byte order mark, which spreadsheets need to show other letters than ASCII.

A text that a spreadsheet would take for a formula, because it begins with ``=``, ``+``, ``-``, ``@``, a tab or a
carriage return, gets an apostrophe in front (OWASP, "CSV Injection"). Numbers stay numbers, also negative ones.
"""

import csv
import io
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.contracts.formulas import guarded
from shared.exports.columns import Kind, text_of
from shared.exports.format import Format
from shared.exports.rows import Page
from shared.exports.sheet import Sheet
from shared.times import rfc3339

BYTE_ORDER_MARK = "\ufeff"


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """Yield a header and one row for each image."""
    cells = [(column.read, CELLS[column.kind]) for column in sheet.flat_columns]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow([guarded(column.name) for column in sheet.flat_columns])
    yield _drain(buffer)
    for page in pages:
        writer.writerows(
            ["" if (value := read(record)) is None else cell(value) for read, cell in cells] for record in page
        )
        yield _drain(buffer)


def _json(value: object) -> object:
    """Write a JSON value; a number stays one, whatever else its column has."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else guarded(text_of(value))


def _drain(buffer: io.StringIO) -> bytes:
    written = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return written


CELLS: Mapping[Kind, Callable[[Any], object]] = {
    Kind.INTEGER: int,
    Kind.LONG: int,
    Kind.NUMBER: repr,
    Kind.FLAG: lambda value: "true" if value else "false",
    Kind.TEXT: guarded,
    Kind.TIME: rfc3339,
    Kind.JSON: _json,
}
FORMAT = Format(ExportFormat.CSV, "text/csv; charset=utf-8", ".csv", encode, accepts=("text/csv",))
