"""The format of an export follows from the name of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.errors import ConfigurationError
from phytobatch.exports.formats import FORMATS, format_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("a.NDJSON", "ndjson"),
        ("a.jsonl", "ndjson"),
        ("a.geojson", "geojson"),
        ("a.shp.zip", "shapefile"),
        ("a.kml", "kml"),
        ("a.parquet", "parquet"),
        ("a.geo.parquet", "geoparquet"),
    ],
)
def test_the_suffix_says_the_format(name: str, expected: str) -> None:
    assert format_of(Path(name)) == expected
    assert expected in FORMATS


def test_another_suffix_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="geoparquet"):
        format_of(Path("a.xlsx"))
