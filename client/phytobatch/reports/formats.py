"""The table of formats. A new one is a function and a line here."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

from phytobatch.errors import ConfigurationError
from phytobatch.reports.atomic import replacing
from phytobatch.reports.csv_format import write_csv
from phytobatch.reports.json_format import write_json, write_ndjson
from phytobatch.resources import Result

Write = Callable[[Iterable[Result], TextIO], None]

FORMATS: Mapping[str, Write] = {"csv": write_csv, "ndjson": write_ndjson, "json": write_json}
_FORMAT_OF_SUFFIX = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json"}


def format_of(path: Path) -> str:
    """The name of the format that a file's suffix asks for.

    Raises:
        ConfigurationError: no format has that suffix.
    """
    name = _FORMAT_OF_SUFFIX.get(path.suffix.lower())
    if name is None:
        raise ConfigurationError(f"{path}: the name must end in .csv, .json or .ndjson.")
    return name


def check_writable(path: Path) -> None:
    """Find out before hours of work whether the results can be written.

    Raises:
        ConfigurationError: the folder does not exist, or the path is one.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigurationError(f"{path} cannot be written: its folder must exist, and it must be no folder itself.")


def save(results: Iterable[Result], path: Path, name: str) -> None:
    """Write a whole file in the format called ``name``, or leave what was there."""
    with replacing(path) as stream:
        FORMATS[name](results, stream)
