"""NDJSON: one JSON object in each line, UTF-8, with every column; a missing value is ``null``."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Kind, portable
from shared.exports.formats.format import Format
from shared.exports.rows import Page, Record
from shared.exports.sheet import Sheet
from shared.exports.times import rfc3339

# What is no JSON yet, or none that every reader takes.
WRITTEN: Mapping[Kind, Callable[[Any], object]] = {Kind.TIME: rfc3339, Kind.JSON: portable}


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """One line for each image."""
    members = members_of(sheet)
    for page in pages:
        yield "".join(f"{to_json(members(record))}\n" for record in page).encode()


def members_of(sheet: Sheet) -> Callable[[Record], dict[str, Any]]:
    """A function that makes the JSON object of a record: every column under its name."""
    columns = [(column.name, column.read, WRITTEN.get(column.kind)) for column in sheet.columns]

    def members(record: Record) -> dict[str, Any]:
        values = ((name, read(record), write) for name, read, write in columns)
        return {name: value if write is None or value is None else write(value) for name, value, write in values}

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
