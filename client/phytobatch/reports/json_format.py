"""Results as JSON: raw, as the server sent them."""

from collections.abc import Iterable
from typing import TextIO

from phytobatch.resources import Result
from phytobatch.text import json_line


def write_ndjson(results: Iterable[Result], stream: TextIO) -> None:
    """One JSON document per line."""
    stream.writelines(json_line(result.raw, stream) + "\n" for result in results)


def write_json(results: Iterable[Result], stream: TextIO) -> None:
    """One JSON array with a line for each result."""
    separator = "[\n"
    for result in results:
        stream.write(separator + json_line(result.raw, stream))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")
