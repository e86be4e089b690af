"""Rows as JSON objects, for every format that is made of JSON."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.exports.columns import Kind, portable
from shared.exports.sheet import Sheet
from shared.times import rfc3339

# `json.dumps` would make one for each row.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# What is no JSON yet, or none that every reader takes.
WRITTEN: Mapping[Kind, Callable[[Any], object]] = {Kind.TIME: rfc3339, Kind.JSON: portable}


def members_of(sheet: Sheet) -> Callable[[Any], dict[str, Any]]:
    """Return a function that makes the JSON object of a row: every column under its name."""
    columns = [(column.name, column.read, WRITTEN.get(column.kind)) for column in sheet.columns]

    def members(record: object) -> dict[str, Any]:
        values = ((name, read(record), write) for name, read, write in columns)
        return {name: value if write is None or value is None else write(value) for name, value, write in values}

    return members


def to_json(value: object) -> str:
    """Return compact JSON; letters stay letters."""
    return ENCODER.encode(value)
