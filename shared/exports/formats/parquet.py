"""Parquet, by arrow-rs: typed columns, zstd, row groups of a bounded number of rows."""

import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Kind, text_of
from shared.exports.format import Format
from shared.exports.pieces import Remembering, pieces_of
from shared.exports.sheet import Sheet

COMPRESSION = "zstd(3)"
# Rows that are held in memory until they are written.
ROW_GROUP_ROWS = 16_384
ROW_GROUP_BYTES = 128 * 1024 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

TYPES: Mapping[Kind, DataType] = {
    Kind.INTEGER: DataType.int32(),
    Kind.LONG: DataType.int64(),
    Kind.NUMBER: DataType.float64(),
    Kind.FLAG: DataType.bool(),
    Kind.TEXT: DataType.utf8(),
    Kind.TIME: DataType.timestamp("us", tz="UTC"),
    Kind.JSON: DataType.utf8(),
    Kind.BYTES: DataType.binary(),
    Kind.CELLS: DataType.utf8(),  # arro3 makes no arrays of lists
}
AS_JSON = {Kind.JSON, Kind.CELLS}
Values = list[Any]


def encode(sheet: Sheet, pages: Iterator[list[Any]]) -> Generator[bytes, None, None]:
    """Yield a Parquet file."""
    return write(sheet, pages, geometry=None, metadata={})


def write(
    sheet: Sheet,
    pages: Iterator[list[Any]],
    *,
    geometry: tuple[str, Callable[[list[Any]], Array]] | None,
    metadata: dict[str, str],
) -> Generator[bytes, None, None]:
    """Yield the pieces of a file of every column, and of one more that is made of whole records.

    Args:
        sheet: what to write.
        pages: its rows.
        geometry: name and maker of a column of bytes in front of the others.
        metadata: of the file.
    """
    fields = [Field(column.name, TYPES[column.kind], nullable=True) for column in sheet.columns]
    makers: list[Callable[[list[Any]], Array]] = [
        partial(_column, column.read, column.kind) for column in sheet.columns
    ]
    if geometry is not None:
        fields.insert(0, Field(geometry[0], DataType.binary(), nullable=True))
        makers.insert(0, geometry[1])
    schema = Schema(fields)
    source = Remembering(RecordBatch.from_arrays([make(page) for make in makers], schema=schema) for page in pages)
    with tempfile.TemporaryDirectory(prefix="phytobatch-export-") as folder:
        path = Path(folder) / "results.parquet"
        with source.own_errors():
            write_parquet(
                RecordBatchReader.from_batches(schema, source),
                path,
                compression=COMPRESSION,
                max_row_group_size=sheet.rows_within(ROW_GROUP_BYTES, ROW_GROUP_ROWS),
                key_value_metadata=metadata,
            )
        yield from pieces_of(path)


def _column(read: Callable[[Any], Any], kind: Kind, page: list[Any]) -> Array:
    values = [read(record) for record in page]
    if kind is Kind.TIME:
        return Array([_microseconds(value) for value in values], DataType.int64()).cast(TYPES[kind])
    if kind in AS_JSON:
        values = [None if value is None else text_of(value) for value in values]
    if kind is Kind.NUMBER:
        values = [None if value is None else float(value) for value in values]
    return Array(values, TYPES[kind])


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


FORMAT = Format(
    ExportFormat.PARQUET, "application/vnd.apache.parquet", ".parquet", encode, accepts=("application/x-parquet",)
)
