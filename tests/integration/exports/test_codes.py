"""Long whole numbers and alike names stay apart, in every format and for every reader."""

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import shapefile
from arro3.io import read_parquet

from shared.contracts.exports import ExportFormat
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api

# More digits than a 64-bit float keeps, than the mantissa of one, than 64 bits have.
CODES: Mapping[str, tuple[int, int]] = {
    "barcode": (123456789012345678, 123456789012345679),
    "behind_2_53": (2**53, 2**53 + 1),
    "behind_2_63": (2**63 + 1, 2**63 + 3),
    "negative": (-999999999999999998, -999999999999999999),
}
ALIKE = ("Row", "row", "ROW", "re\u0301colte", "r\u00e9colte", "stra\u00dfe", "STRASSE")
Rows = list[dict[str, Any]]


@pytest.fixture
def job(api: Api, hands: Hands) -> str:
    job_id = api.new_job()
    images = [
        {
            "name": f"{nth}.jpg",
            "size": 4,
            "latitude": 41.0,
            "longitude": 0.5,
            "metadata": {
                **{key: pair[nth] for key, pair in CODES.items()},
                **{key: f"{key} {nth}" for key in ALIKE},
                "nested": {"code": 2**64 + nth},
                "\u00e9" * 100: nth,
            },
        }
        for nth in (0, 1)
    ]
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": images})
    assert answer.status == 200, answer.data
    api.commit(job_id)
    hands.run(job_id)
    return job_id


def csv_rows(data: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def ndjson_rows(data: bytes) -> Rows:
    return [json.loads(line) for line in data.decode().splitlines()]


def geojson_rows(data: bytes) -> Rows:
    return [feature["properties"] for feature in json.loads(data)["features"]]


def parquet_rows(data: bytes) -> Rows:
    table = read_parquet(io.BytesIO(data)).read_all()
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def kml_rows(data: bytes) -> Rows:
    space = "{http://www.opengis.net/kml/2.2}"
    placemarks = ET.fromstring(data).iter(f"{space}Placemark")  # noqa: S314  # our own
    return [{one.attrib["name"]: one.text for one in placemark.iter(f"{space}SimpleData")} for placemark in placemarks]


def shapefile_rows(data: bytes) -> Rows:
    """By the names of the columns, which the text in the archive has."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = archive.read("results.txt").decode().splitlines()[5:]
        names = {line[:10].strip(): line[12:] for line in lines if line}
        parts = {suffix: io.BytesIO(archive.read(f"results.{suffix}")) for suffix in ("shp", "shx", "dbf")}
        with shapefile.Reader(**parts) as reader:
            found = [record.as_dict() for record in reader.records()]
    return [{names[field]: value for field, value in row.items()} for row in found]


READERS: Mapping[ExportFormat, Callable[[bytes], Rows]] = {
    ExportFormat.CSV: csv_rows,
    ExportFormat.NDJSON: ndjson_rows,
    ExportFormat.GEOJSON: geojson_rows,
    ExportFormat.PARQUET: parquet_rows,
    ExportFormat.GEOPARQUET: parquet_rows,
    ExportFormat.KML: kml_rows,
    ExportFormat.SHAPEFILE: shapefile_rows,
}


def seen(name: str) -> str:
    """As SQL and file systems see it."""
    return unicodedata.normalize("NFKC", name).casefold()


@pytest.mark.parametrize("name", list(ExportFormat))
def test_long_numbers_and_alike_names_stay_apart(api: Api, job: str, name: ExportFormat) -> None:
    answer = api.get(f"/v1/jobs/{job}/export?format={name}")
    assert answer.status == 200, answer.data
    rows = READERS[name](answer.data)
    for key, pair in CODES.items():
        assert [str(row[f"meta_{key}"]) for row in rows] == [str(code) for code in pair], key
        assert not any(isinstance(row[f"meta_{key}"], float) for row in rows), key
    columns = [column for column in rows[0] if column.startswith("meta_")]
    assert len({seen(column) for column in columns}) == len(columns)
    texts = {str(rows[1][column]) for column in columns}
    assert {f"{key} 1" for key in ALIKE} <= texts


def test_a_number_of_more_than_64_bits_is_text_where_readers_make_floats_of_it(api: Api, job: str) -> None:
    (first, _) = ndjson_rows(api.get(f"/v1/jobs/{job}/export?format=ndjson").data)
    assert first["meta_behind_2_63"] == str(2**63 + 1)
    assert first["meta_nested"] == {"code": str(2**64)}
    assert type(first["meta_barcode"]) is int


def test_a_long_key_is_among_the_others(api: Api, job: str) -> None:
    (first, second) = ndjson_rows(api.get(f"/v1/jobs/{job}/export?format=ndjson").data)
    assert (first["metadata_more"], second["metadata_more"]) == ({"\u00e9" * 100: 0}, {"\u00e9" * 100: 1})


def test_the_results_themselves_have_every_digit(api: Api, job: str) -> None:
    results = json.loads(api.get(f"/v1/jobs/{job}/results").data)["results"]
    for key, pair in CODES.items():
        assert tuple(result["metadata"][key] for result in results) == pair
