"""NDJSON: one JSON object in each line, UTF-8, with every column; a missing value is ``null``."""

import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Kind
from shared.exports.formats.format import Format
from shared.exports.rows import Page, Record
from shared.exports.sheet import Sheet
from shared.exports.times import rfc3339


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """One line for each image."""
    members = members_of(sheet)
    for page in pages:
        yield "".join(f"{to_json(members(record))}\n" for record in page).encode()


def members_of(sheet: Sheet) -> Callable[[Record], dict[str, Any]]:
    """A function that makes the JSON object of a record: every column under its name."""
    columns = [(column.name, column.read, column.kind is Kind.TIME) for column in sheet.columns]

    def members(record: Record) -> dict[str, Any]:
        values = ((name, read(record), is_time) for name, read, is_time in columns)
        return {name: rfc3339(value) if is_time and value is not None else value for name, value, is_time in values}

    return members


def to_json(value: object) -> str:
    """Compact JSON; letters stay letters."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


FORMAT = Format(
    ExportFormat.NDJSON,
    "application/x-ndjson",
    ".ndjson",
    encode,
    accepts=("application/ndjson", "application/jsonl", "application/x-jsonlines"),
)
