"""Rows as JSON objects, for every format that is made of JSON."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.exports.columns import Column, Kind, portable
from shared.times import rfc3339

# `json.dumps` would make one for each row.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
# What is no JSON yet, or none that every reader takes.
WRITTEN: Mapping[Kind, Callable[[Any], object]] = {
    Kind.TIME: rfc3339,
    Kind.JSON: portable,
    Kind.BYTES: lambda value: b64encode(value).decode(),
}


def members_of(columns: Sequence[Column]) -> Callable[[Any], dict[str, Any]]:
    """Return a function that makes the JSON object of a row: every column under its name."""
    readers = [(column.name, column.read, WRITTEN.get(column.kind)) for column in columns]

    def members(record: object) -> dict[str, Any]:
        values = ((name, read(record), write) for name, read, write in readers)
        return {name: value if write is None or value is None else write(value) for name, value, write in values}

    return members


def to_json(value: object) -> str:
    """Return compact JSON; letters stay letters."""
    return ENCODER.encode(value)
