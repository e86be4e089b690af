"""Results as JSON: raw, as the server sent them."""

import json
from collections.abc import Iterable
from typing import TextIO

from client.resources import Result


def write_ndjson(results: Iterable[Result], stream: TextIO) -> None:
    """One JSON document per line."""
    stream.writelines(json.dumps(result.raw, ensure_ascii=False) + "\n" for result in results)


def write_json(results: Iterable[Result], stream: TextIO) -> None:
    """One JSON array with a line for each result."""
    separator = "[\n"
    for result in results:
        stream.write(separator + json.dumps(result.raw, ensure_ascii=False))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")
