"""Each format, read again by a reader that is not ours."""

import csv
import io
import json
import struct
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import shapefile
from arro3.io import read_parquet

from shared.contracts.exports import ExportFormat
from shared.errors import InvalidRequest
from shared.exports.columns import Kind, Record
from shared.exports.formats import FORMATS
from shared.exports.formats.parquet import ROW_GROUP_BYTES
from shared.exports.formats.shapefile import fields_of
from shared.exports.rows import Page
from shared.exports.sheet import Extent
from tests.unit.shared.exports.sheets import NASTY_NAMES, WHEN, encoded, nowhere, pages, record, sheet

KML = {"k": "http://www.opengis.net/kml/2.2"}
NASTY = [record(number, name=name) for number, name in enumerate(NASTY_NAMES, start=1)]


def csv_rows(records: list[Record], **about: Any) -> list[dict[str, str]]:  # noqa: ANN401  # as encoded
    text = encoded(ExportFormat.CSV, records, **about).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_format_has_a_line_in_the_table_and_a_suffix_of_its_own() -> None:
    assert set(FORMATS) == set(ExportFormat)
    assert len({one.suffix for one in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("name", list(ExportFormat))
def test_an_export_without_rows_is_a_file_all_the_same(name: ExportFormat) -> None:
    assert encoded(name, []) or name is ExportFormat.NDJSON


def test_csv_begins_with_a_byte_order_mark_and_ends_its_lines_as_rfc_4180_says() -> None:
    file = encoded(ExportFormat.CSV, [record()])
    assert file.startswith(b"\xef\xbb\xbfseq,name,status")
    assert file.count(b"\r\n") == file.count(b"\n") == 2


def test_csv_texts_that_would_be_formulas_are_neutral_and_all_others_survive() -> None:
    names = [row["name"] for row in csv_rows(NASTY)]
    expected = [f"'{name}" if name[0] in "=+-@\t\r" else name for name in NASTY_NAMES]
    assert names == expected


def test_csv_numbers_stay_numbers_also_negative_ones() -> None:
    (row,) = csv_rows(
        [record(longitude=-7.5, metadata={"bed": -3, "note": "-x"})], keys=[("bed", Kind.INTEGER), ("note", Kind.TEXT)]
    )
    assert (row["longitude"], row["meta_bed"], row["meta_note"]) == ("-7.5", "-3", "'-x")
    assert (row["confidence"], row["p_rust"], row["needs_review"]) == ("0.97", "0.97", "false")
    assert row["captured_at"] == "2026-06-01T08:01:05Z"


def test_csv_names_of_metadata_cannot_break_the_header() -> None:
    (row,) = csv_rows([record(metadata={'a"b,\n': 1})], keys=[('a"b,\n', Kind.INTEGER)])
    assert row['meta_a"b,\n'] == "1"


def test_ndjson_has_one_object_in_each_line_whatever_a_name_contains() -> None:
    lines = encoded(ExportFormat.NDJSON, NASTY).decode().removesuffix("\n").split("\n")
    assert [json.loads(line)["name"] for line in lines] == list(NASTY_NAMES)


def test_metadata_without_a_column_of_its_own_stands_in_one_more() -> None:
    (line,) = encoded(
        ExportFormat.NDJSON,
        [record(metadata={"row": 3, "bay": {"side": "left"}, "bed": "B"})],
        keys=[("row", Kind.INTEGER)],
        has_more_keys=True,
    ).splitlines()
    read = json.loads(line)
    assert (read["meta_row"], read["metadata_more"]) == (3, {"bay": {"side": "left"}, "bed": "B"})


def test_geojson_is_longitude_first_without_a_crs_and_keeps_images_without_a_position() -> None:
    collection = json.loads(encoded(ExportFormat.GEOJSON, [record(1), nowhere(2), record(3)]))
    assert set(collection) == {"type", "bbox", "features"}
    first, second, third = collection["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [7.8399, 47.9901]}
    assert (second["geometry"], second["properties"]["position_fault"]) == (None, "no_position")
    assert collection["bbox"] == [7.8397, 47.9901, 7.8399, 47.9903]
    assert third["id"] == third["properties"]["seq"] == 3


TAVEUNI = [
    record(number, latitude=latitude, longitude=longitude)
    for number, (latitude, longitude) in enumerate(
        [(-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995)], start=1
    )
]


def test_a_box_over_the_180th_meridian_has_its_west_greater_than_its_east() -> None:
    """RFC 7946, section 5.2; GeoParquet 1.1 says the same of its boxes."""
    box = [179.9998, -16.8001, -179.9998, -16.8]
    assert json.loads(encoded(ExportFormat.GEOJSON, TAVEUNI))["bbox"] == box
    schema = read_parquet(encoded(ExportFormat.GEOPARQUET, TAVEUNI)).read_all().schema
    assert json.loads((schema.metadata or {})[b"geo"])["columns"]["geometry"]["bbox"] == box


def test_a_box_around_images_in_every_degree_is_as_wide_as_the_earth() -> None:
    everywhere = [edge for degree in range(-180, 180) for edge in (degree + 0.1, degree + 0.9)]
    assert Extent.around(everywhere, -10, 10) == Extent(-180, -10, 180, 10)
    assert Extent.around(everywhere[:-4], -10, 10) == Extent(-179.9, -10, 177.9, 10)
    assert Extent.around([7.84, 7.84], 1, 1) == Extent(7.84, 1, 7.84, 1)
    assert Extent.around([], 0, 0) is None


def test_a_shapefile_over_the_180th_meridian_says_what_its_header_cannot() -> None:
    def explanation(records: list[Record]) -> str:
        file = zipfile.ZipFile(io.BytesIO(encoded(ExportFormat.SHAPEFILE, records)))
        return file.read("results.txt").decode()

    assert "180th meridian" in explanation(TAVEUNI)
    assert "180th meridian" not in explanation(TAVEUNI[:1])


def test_geojson_positions_have_seven_decimals() -> None:
    (feature,) = json.loads(encoded(ExportFormat.GEOJSON, [record(latitude=1 / 3, longitude=-2 / 3)]))["features"]
    assert feature["geometry"]["coordinates"] == [-0.6666667, 0.3333333]


def test_kml_is_well_formed_with_a_style_for_each_class() -> None:
    root = ET.fromstring(encoded(ExportFormat.KML, [*NASTY, nowhere(20)]))  # noqa: S314  # our own file
    marks = root.findall(".//k:Placemark", KML)
    assert [mark.findtext("k:name", namespaces=KML) for mark in marks] == [
        *(name.replace("\x07", "\ufffd") for name in NASTY_NAMES),
        "DJI_0020.JPG",
    ]
    assert marks[0].findtext(".//k:coordinates", namespaces=KML) == "7.8399000,47.9901000"
    assert marks[-1].find("k:Point", KML) is None
    styles = {style.get("id") for style in root.findall(".//k:Style", KML)}
    assert {f"#{style}" for style in styles} >= {mark.findtext("k:styleUrl", namespaces=KML) for mark in marks}


def test_kml_colours_an_image_by_the_label_of_a_person_first() -> None:
    root = ET.fromstring(encoded(ExportFormat.KML, [record(corrected_label="healthy")]))  # noqa: S314  # our own file
    assert root.findtext(".//k:Placemark/k:styleUrl", namespaces=KML) == "#class0"


def read_shapefile(file: bytes) -> shapefile.Reader:
    archive = zipfile.ZipFile(io.BytesIO(file))
    assert archive.testzip() is None
    parts = {part: io.BytesIO(archive.read(f"results.{part}")) for part in ("shp", "shx", "dbf")}
    return shapefile.Reader(**parts, encoding=archive.read("results.cpg").decode())


def test_shapefile_has_a_record_for_each_image_and_a_null_shape_without_a_position() -> None:
    reader = read_shapefile(encoded(ExportFormat.SHAPEFILE, [record(1), nowhere(2), record(3)]))
    assert [shape.shapeTypeName for shape in reader.shapes()] == ["POINT", "NULL", "POINT"]
    assert reader.shape(0).points == [(7.8399, 47.9901)]
    first, second, _ = (row.as_dict() for row in reader.records())
    assert (first["name"], first["confidence"], first["review"]) == ("DJI_0001.JPG", 0.97, False)
    assert (second["latitude"], second["pos_fault"]) == (None, "no_position")


def test_shapefile_texts_are_utf_8_cut_between_letters_and_the_archive_says_so() -> None:
    file = encoded(ExportFormat.SHAPEFILE, [record(1, name="ü" * 200)])
    assert read_shapefile(file).record(0)["name"] == "ü" * 127
    explanation = zipfile.ZipFile(io.BytesIO(file)).read("results.txt").decode()
    assert "1 texts were cut" in explanation
    assert "needs_review" in explanation


def test_shapefile_fields_have_ten_letters_at_most_and_differ() -> None:
    keys = [(name, Kind.TEXT) for name in ("greenhouse_a", "greenhouse_b", "Greenhouse_a", "größe", "x/y")]
    names = [field.name for field in fields_of(sheet([], keys=keys).columns)]
    assert max(map(len, names)) == 10
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.isascii() for name in names)


def test_a_shapefile_that_would_not_fit_is_refused_before_a_byte_is_written() -> None:
    with pytest.raises(InvalidRequest, match="2 GB"):
        next(iter(FORMATS[ExportFormat.SHAPEFILE].encode(sheet([], rows=10_000_000), pages([], 1))))
    many = [(f"key{number}", Kind.TEXT) for number in range(300)]
    with pytest.raises(InvalidRequest, match="255 fields"):
        encoded(ExportFormat.SHAPEFILE, [record()], keys=many)


def test_parquet_has_typed_columns() -> None:
    file = encoded(ExportFormat.PARQUET, [record(1, metadata={"row": 3}), nowhere(2)], keys=[("row", Kind.INTEGER)])
    table = read_parquet(file).read_all()
    assert table.num_rows == 2
    assert [table[name].to_pylist() for name in ("seq", "meta_row")] == [[1, 2], [3, None]]
    assert table["captured_at"].to_pylist()[0] == datetime(2026, 6, 1, 8, 1, 5, tzinfo=UTC) == WHEN
    assert table["latitude"].to_pylist() == [47.9901, None]
    assert table["needs_review"].to_pylist() == [False, False]


def test_parquet_names_survive() -> None:
    table = read_parquet(encoded(ExportFormat.PARQUET, NASTY)).read_all()
    assert table["name"].to_pylist() == list(NASTY_NAMES)


def test_geoparquet_has_points_as_wkb_and_its_metadata() -> None:
    file = encoded(ExportFormat.GEOPARQUET, [record(1), nowhere(2)])
    table = read_parquet(file).read_all()
    metadata = json.loads((table.schema.metadata or {})[b"geo"])
    assert metadata["version"] == "1.1.0"
    assert metadata["columns"][metadata["primary_column"]] == {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "bbox": [7.8399, 47.9901, 7.8399, 47.9901],
    }
    first, second = table["geometry"].to_pylist()
    assert struct.unpack("<BIdd", first) == (1, 1, 7.8399, 47.9901)
    assert second is None


def test_a_row_group_of_parquet_has_as_many_rows_as_fit_into_memory() -> None:
    """The footer names each column once in the schema, and once in each row group (Parquet, "File Format")."""
    records = [record(number) for number in range(1, 6)]
    for widest, groups in ((ROW_GROUP_BYTES // 2, 3), (ROW_GROUP_BYTES * 2, 5), (100, 1)):
        file = encoded(ExportFormat.PARQUET, records, widest=widest)
        (footer,) = struct.unpack("<I", file[-8:-4])
        assert file[-8 - footer : -8].count(b"confidence") == 1 + groups
        assert read_parquet(io.BytesIO(file)).read_all().num_rows == len(records)


def test_an_error_between_two_pages_is_the_readers_own() -> None:
    def broken() -> Iterator[Page]:
        yield [record()]
        raise InvalidRequest("the database went away")

    for name in (ExportFormat.PARQUET, ExportFormat.GEOPARQUET, ExportFormat.SHAPEFILE, ExportFormat.CSV):
        with pytest.raises(InvalidRequest, match="went away"):
            list(FORMATS[name].encode(sheet([record()]), broken()))
