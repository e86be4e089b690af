"""Sums of tiles in every format, and rows of tiles, read again by readers that are not ours."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from typing import Any

import pytest
import shapefile
from arro3.io import read_parquet

from shared.contracts.exports import ExportContent, ExportFormat
from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import TileSkip
from shared.errors import InvalidRequest
from shared.exports.columns import Extras
from shared.exports.contents import CONTENTS, check_format
from shared.exports.formats import FORMATS
from shared.exports.formats.shapefile import fields_of
from shared.exports.tile_rows import Mapped, TileRow, tile_columns, tiles_of
from shared.tiles.codec import encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from tests.unit.shared.exports.sheets import LABELS, encoded, record, sheet

SUMS = {"labels": {"rust": 30, "healthy": 170}, "review": {"blurred": 10}, "skipped": {"too_coarse": 11}}
TILED = [
    record(1, tile_sums=SUMS, probabilities=None),
    record(2, tile_sums=None, status="failed", label=None, confidence=None, probabilities=None),
    record(3, tile_sums={"labels": {}, "review": {}, "skipped": {"too_coarse": 4}}, label=None, confidence=None),
]
COLUMNS = ["tiles", "tiles_counted", "tiles_healthy", "tiles_rust"]
EXPECTED: list[list[int | None]] = [[221, 200, 170, 30], [None] * 4, [4, 0, 0, 0]]
MAP = TileMap.of(
    lay_grid(250, 200, 100),
    [
        Tile(0, 1.0),
        Tile(1, 0.75),
        Tile(1, 0.25, ReviewReason.BLURRED),
        Tile(skipped=TileSkip.TOO_COARSE),
        Tile(0, 0.5),
        Tile(0, 0.5),
    ],
)


def columns(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [[row[name] for name in COLUMNS] for row in rows]


def test_formats_of_tables_have_the_sums_of_maps() -> None:
    lines = [json.loads(line) for line in encoded(ExportFormat.NDJSON, TILED, extras=Extras(tiles=True)).splitlines()]
    assert columns(lines) == EXPECTED
    text = encoded(ExportFormat.CSV, TILED, extras=Extras(tiles=True)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert columns(rows) == [["" if n is None else str(n) for n in row] for row in EXPECTED]
    for name in (ExportFormat.PARQUET, ExportFormat.GEOPARQUET):
        table = read_parquet(encoded(name, TILED, extras=Extras(tiles=True))).read_all()
        assert [table[column].to_pylist() for column in COLUMNS] == [list(seen) for seen in zip(*EXPECTED, strict=True)]


def test_formats_of_maps_have_them_too() -> None:
    collection = json.loads(encoded(ExportFormat.GEOJSON, TILED, extras=Extras(tiles=True)))
    assert columns([feature["properties"] for feature in collection["features"]]) == EXPECTED
    root = ET.fromstring(encoded(ExportFormat.KML, TILED, extras=Extras(tiles=True)))  # noqa: S314  # our own file
    space = {"k": "http://www.opengis.net/kml/2.2"}
    first = root.findall(".//k:Placemark", space)[0]
    data = {one.get("name"): one.text for one in first.findall(".//k:SimpleData", space)}
    assert [data[name] for name in COLUMNS] == ["221", "200", "170", "30"]
    undecided = root.findall(".//k:Placemark", space)[2]
    assert undecided.findtext("k:styleUrl", namespaces=space) == "#other"


def test_a_shapefile_has_them_under_short_names() -> None:
    archive = zipfile.ZipFile(io.BytesIO(encoded(ExportFormat.SHAPEFILE, TILED, extras=Extras(tiles=True))))
    parts = {part: io.BytesIO(archive.read(f"results.{part}")) for part in ("shp", "shx", "dbf")}
    rows = [one.as_dict() for one in shapefile.Reader(**parts, encoding="utf-8").records()]
    assert [[row[name] for name in ("tiles", "tiles_cnt", "t_healthy", "t_rust")] for row in rows] == EXPECTED
    assert "tiles_counted" in archive.read("results.txt").decode()


def test_short_names_of_tiles_and_probabilities_differ() -> None:
    labels = ("powdery_mildew", "powdery_mildew_late", "counted")
    names = [field.name for field in fields_of(sheet([], labels=labels, extras=Extras(tiles=True)).columns)]
    assert len({name.lower() for name in names}) == len(names)
    assert max(map(len, names)) <= 10


def test_a_job_without_tiles_has_none_of_these_columns() -> None:
    assert not [column.name for column in sheet([]).columns if column.name.startswith("tiles")]


def test_a_tile_is_a_row_with_its_box_and_a_persons_label() -> None:
    rows = list(tiles_of(Mapped(7, "a.jpg", encode(MAP), {2: "healthy"}), LABELS))
    assert rows[0] == TileRow(7, "a.jpg", 0, 0, 0, 100, 100, "healthy", 1.0, None, None, None)
    assert rows[1][3:9] == (100, 0, 200, 100, "rust", 0.749996)
    assert rows[2][3:] == (150, 0, 250, 100, "rust", 0.250004, "blurred", None, "healthy")
    assert rows[3][2:] == (3, 0, 100, 100, 200, None, None, None, "too_coarse", None)
    assert len(rows) == 6


def of_tiles(name: ExportFormat) -> bytes:
    rows = list(tiles_of(Mapped(7, "a.jpg", encode(MAP), {}), LABELS))
    made = replace(sheet([]), columns=tile_columns(5), rows=6, content=ExportContent.TILES)
    return b"".join(FORMATS[name].encode(made, iter([rows[:4], rows[4:]])))


def test_rows_of_tiles_are_written_by_both_formats_that_can_hold_them() -> None:
    lines = [json.loads(line) for line in of_tiles(ExportFormat.NDJSON).splitlines()]
    assert list(lines[0]) == list(TileRow._fields)
    table = read_parquet(of_tiles(ExportFormat.PARQUET)).read_all()
    assert table.num_rows == len(lines) == 6
    for name in TileRow._fields:
        assert table[name].to_pylist() == [line[name] for line in lines], name


@pytest.mark.parametrize("name", sorted(set(ExportFormat) - set(CONTENTS[ExportContent.TILES].formats)))
def test_other_formats_refuse_tiles_in_words(name: ExportFormat) -> None:
    check_format(ExportContent.RESULTS, name)
    with pytest.raises(InvalidRequest, match=f"written as ndjson or parquet, not as {name}"):
        check_format(ExportContent.TILES, name)
