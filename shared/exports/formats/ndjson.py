"""NDJSON: one JSON object in each line, UTF-8, with every column; a missing value is ``null``."""

from collections.abc import Generator, Iterator
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.exports.format import Format
from shared.exports.json_rows import members_of, to_json
from shared.exports.sheet import Sheet


def encode(sheet: Sheet, pages: Iterator[list[Any]]) -> Generator[bytes, None, None]:
    """Yield one line for each row."""
    members = members_of(sheet.columns)
    for page in pages:
        yield "".join(f"{to_json(members(record))}\n" for record in page).encode()


FORMAT = Format(
    ExportFormat.NDJSON,
    "application/x-ndjson",
    ".ndjson",
    encode,
    accepts=("application/ndjson", "application/jsonl", "application/x-jsonlines"),
)
