from datetime import datetime, timedelta, timezone

import pytest

from shared.geography.sidecar.matching import match
from shared.geography.sidecar.read import folder_of, is_sidecar, read_sidecar
from shared.geography.sidecar.row import SidecarInvalid, SidecarRow

GEO_TXT = b"""EPSG:4326
# a comment
DJI_0001.JPG 0.6187 41.6532 226.5 -90.0 -89.9 0 0.02 0.04 and more

DJI_0002.JPG\t0.6188   41.6533
"""


def rows(data: bytes | str) -> list[SidecarRow]:
    return read_sidecar(data.encode() if isinstance(data, str) else data)


def test_geo_txt_has_longitude_first() -> None:
    assert rows(GEO_TXT) == [
        SidecarRow(3, "DJI_0001.JPG", latitude=41.6532, longitude=0.6187, altitude=226.5, heading=270.0),
        SidecarRow(5, "DJI_0002.JPG", latitude=41.6533, longitude=0.6188),
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("2026-05-14 10-30-00 DJI_0008.JPG\t0.6187\t41.6532\t226.5", "2026-05-14 10-30-00 DJI_0008.JPG"),
        ("2026-05-14 10-30-00 DJI_0008.JPG 0.6187 41.6532 226.5", "2026-05-14 10-30-00 DJI_0008.JPG"),
        ("north  field 7.tif 0.6187 41.6532 226.5", "north  field 7.tif"),
        ("north field 7\t0.6187 41.6532 226.5", "north field 7"),
        ('"north field 7" 0.6187 41.6532 226.5', "north field 7"),
        ("a 1.jpg b.JPG 0.6187 41.6532 226.5", "a 1.jpg b.JPG"),
        ("a.jpg 0.6187 41.6532 226.5 0 0 0 c.jpg 1 2", "a.jpg"),
        ("12 0.6187 41.6532 226.5", "12"),
    ],
)
def test_geo_txt_may_have_names_with_blanks(line: str, name: str) -> None:
    (row,) = rows(f"EPSG:4326\n{line}\n")
    assert (row.name, row.longitude, row.latitude, row.altitude) == (name, 0.6187, 41.6532, 226.5)


@pytest.mark.parametrize("column", ["height_above_ground", "relative_altitude", "RelativeAltitude", "agl"])
def test_a_table_may_have_heights_above_the_ground(column: str) -> None:
    (row,) = rows(f"name;{column}\na.jpg;11,25\n")
    assert (row.height_above_ground, row.metadata) == (11.25, {})


@pytest.mark.parametrize(
    "projection", ["epsg:4326", "EPSG: 4326", "WGS84", "+proj=longlat +datum=WGS84 +no_defs", "EPSG:4979"]
)
def test_geo_txt_may_name_wgs_84_in_other_words(projection: str) -> None:
    assert rows(f"{projection}\nx.jpg 1 2\n")[0].longitude == 1


@pytest.mark.parametrize("projection", ["EPSG:32631", "WGS84 UTM 31N", "+proj=utm +zone=31 +datum=WGS84", "EPSG:43260"])
def test_other_projections_are_refused_with_a_way_out(projection: str) -> None:
    with pytest.raises(SidecarInvalid, match=r"only EPSG:4326 is read .* gdaltransform"):
        rows(f"{projection}\nx.jpg 500000 4600000\n")


def test_a_table_has_positions_and_metadata() -> None:
    table = "Filename,Lat,Lon,Alt,Yaw,captured_at,row,Bed name\na.jpg,41.5,0.5,200,-10,2026-06-03T10:30:00+02:00,7,\n"
    assert rows(table) == [
        SidecarRow(
            2,
            "a.jpg",
            latitude=41.5,
            longitude=0.5,
            altitude=200,
            heading=350,
            captured_at=datetime(2026, 6, 3, 10, 30, tzinfo=timezone(timedelta(hours=2))),
            metadata={"row": "7"},
        )
    ]


def test_a_table_of_a_spreadsheet_with_decimal_commas_is_read() -> None:
    (row,) = rows('\ufefffilename;latitude;longitude;bed\r\n\'=a.jpg;41,5;0,5;"A;1"\r\n')
    assert (row.name, row.latitude, row.longitude, row.metadata) == ("'=a.jpg", 41.5, 0.5, {"bed": "A;1"})


def test_a_table_without_positions_is_metadata_alone() -> None:
    (row,) = rows("name,row\na.jpg,7\n\n")
    assert row == SidecarRow(2, "a.jpg", metadata={"row": "7"})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "the first line is ''"),
        ("a,b\n1,2\n", "a CSV with a header that has a column `filename`"),
        (b"filename,row\ncaf\xe9.jpg,1\n", "line 2 is not UTF-8"),
        ("name,row\na\0b,1\n", r"U\+0000"),
        ("EPSG:4326\nx.jpg 1\n", "line 2: 'x.jpg 1' is not `name longitude latitude`"),
        (
            "EPSG:4326\nnorth field 7 1 2\n",
            "line 2: 'north field 7 1 2' is not .* a name with blanks is read where a tab",
        ),
        ("EPSG:4326\nx.jpg 1 91\n", "line 2: latitude 91 is not between -90 and 90"),
        ("EPSG:4326\nx.jpg 181 1\n", "line 2: longitude 181 is not between"),
        ("EPSG:4326\nx.jpg nan 1\n", "line 2: longitude is 'nan', which is no number"),
        ("EPSG:4326\nx.jpg 1 2\ny.jpg 1 2\nx.jpg 1 2\n", "line 4: 'x.jpg' stands in line 2 already"),
        ("name,latitude\na.jpg,1\n", "line 2: latitude and longitude must come together"),
        ("name,latitude,longitude\na.jpg,1,\n", "line 2: latitude and longitude must come together"),
        ("name,row\n,7\n", "line 2 has no name of an image"),
        ("name,row\na.jpg,7,8\n", "line 2 has more cells than the header"),
        ("name,row,row\n", "two columns for 'row'"),
        ("name,file\n", "two columns for 'name'"),
        ("name,,row\n", "column 2 of the header has no name"),
        ("name," + ",".join(map(str, range(200))) + "\n", "at most 200 are read"),
        ("name,captured_at\na.jpg,2026-06-03T10:30:00\n", "without a time zone"),
        ("name,captured_at\na.jpg,yesterday\n", "captured_at is 'yesterday'"),
        ("name,heading\na.jpg,400\n", "heading 400 is not between"),
        ("name,agl\na.jpg,0\n", "height_above_ground 0 is not between 0 and 10000 metres; leave the cell empty"),
        ("name,agl\na.jpg,low\n", "height_above_ground is 'low', which is no number"),
        ("name,note\na.jpg," + "x" * 5000 + "\n", "at most 4096 bytes"),
        ("name,note\na.jpg," + "x" * 200_000 + "\n", "line 2: field larger than field limit"),
    ],
)
def test_what_cannot_be_read_names_the_line(data: bytes | str, sentence: str) -> None:
    with pytest.raises(SidecarInvalid, match=sentence):
        rows(data)


def test_a_line_finds_its_image_by_the_whole_name_or_by_the_file_name_alone() -> None:
    images = list(enumerate(("east/1.jpg", "west/1.jpg", "west/2.JPG", "3.jpg")))
    given = [
        SidecarRow(n, name) for n, name in enumerate(("west\\1.jpg", "2.jpg", "./3.jpg", "1.jpg", "4.jpg", "3.JPG"))
    ]
    found = match(given, images)
    assert {seq: row.name for seq, row in found.rows.items()} == {1: "west\\1.jpg", 2: "2.jpg", 3: "./3.jpg"}
    assert [(u.line, u.reason) for u in found.unmatched] == [
        (3, "2 images are called so; write the folder in front of the name"),
        (4, "no image has this name"),
        (5, "line 2 speaks of the same image"),
    ]


def test_a_sidecar_of_a_folder_speaks_of_that_folder() -> None:
    images = list(enumerate(("east/1.jpg", "west/1.jpg", "east/a/2.jpg")))
    found = match([SidecarRow(1, "1.jpg"), SidecarRow(2, "a/2.jpg")], images, folder="east/")
    assert sorted(found.rows) == [0, 2]


@pytest.mark.parametrize(("path", "folder"), [("geo.txt", ""), ("a/geo.txt", "a/"), ("a/b/Images.CSV", "a/b/")])
def test_sidecars_have_fixed_names(path: str, folder: str) -> None:
    assert is_sidecar(path)
    assert folder_of(path) == folder
    assert not is_sidecar(f"{path}.jpg")
