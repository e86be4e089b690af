"""The crop in every format, and the embedding in those that programs read."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from base64 import b64decode

import pytest
import shapefile
from arro3.io import read_parquet

from shared.contracts.exports import ExportFormat
from shared.exports.columns import Extras
from tests.unit.shared.exports.sheets import encoded, record

EMBEDDING = bytes(range(224, 256)) + bytes(range(32))
RECORDS = [record(1, crop="apple", embedding=EMBEDDING), record(2)]
BOTH = Extras(crops=True, embeddings=True)


def test_tables_have_the_crop() -> None:
    text = encoded(ExportFormat.CSV, RECORDS, extras=BOTH).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["crop"] for row in rows] == ["apple", ""]
    assert "embedding" not in rows[0]


def test_lines_for_programs_have_the_embedding_in_base64() -> None:
    lines = [json.loads(line) for line in encoded(ExportFormat.NDJSON, RECORDS, extras=BOTH).splitlines()]
    assert [line["crop"] for line in lines] == ["apple", None]
    assert b64decode(lines[0]["embedding"]) == EMBEDDING
    assert lines[1]["embedding"] is None


@pytest.mark.parametrize("name", [ExportFormat.PARQUET, ExportFormat.GEOPARQUET])
def test_columns_for_programs_have_it_as_bytes(name: ExportFormat) -> None:
    table = read_parquet(encoded(name, RECORDS, extras=BOTH)).read_all()
    assert table["crop"].to_pylist() == ["apple", None]
    assert table["embedding"].to_pylist() == [EMBEDDING, None]


def test_maps_have_the_crop_alone() -> None:
    features = json.loads(encoded(ExportFormat.GEOJSON, RECORDS, extras=BOTH))["features"]
    assert [feature["properties"]["crop"] for feature in features] == ["apple", None]
    assert "embedding" not in features[0]["properties"]
    root = ET.fromstring(encoded(ExportFormat.KML, RECORDS, extras=BOTH))  # noqa: S314  # our own file
    data = {one.get("name"): one.text for one in root.iterfind(".//{*}SimpleData")}
    assert data["crop"] == "apple"
    assert "embedding" not in data
    archive = zipfile.ZipFile(io.BytesIO(encoded(ExportFormat.SHAPEFILE, RECORDS, extras=BOTH)))
    parts = {part: io.BytesIO(archive.read(f"results.{part}")) for part in ("shp", "shx", "dbf")}
    rows = [one.as_dict() for one in shapefile.Reader(**parts, encoding="utf-8").records()]
    assert [row["crop"] for row in rows] == ["apple", ""], "what is missing is empty, and no word"
    assert "embedding" not in rows[0]


@pytest.mark.parametrize("extras", [Extras(), Extras(tiles=True)])
def test_a_classifier_without_them_has_neither_column(extras: Extras) -> None:
    (line,) = encoded(ExportFormat.NDJSON, [record()], extras=extras).splitlines()
    assert not json.loads(line).keys() & {"crop", "embedding"}
