import csv
from collections import Counter
from pathlib import Path
from statistics import mean

import pytest
from PIL import ExifTags, Image

from deploy.local.synthetic import Kind, write_flight
from deploy.local.synthetic.__main__ import main
from deploy.local.synthetic.exif import FIELD, METRES_PER_DEGREE, SPACING
from deploy.local.synthetic.flight.disease import HOT_SPOTS
from deploy.local.synthetic.flight.plan import bed_name, shots

pytestmark = pytest.mark.slow


def test_the_same_arguments_give_the_same_bytes_and_no_two_photos_are_equal(tmp_path: Path) -> None:
    first = [p.read_bytes() for p in write_flight(tmp_path / "a", 8)]
    again = [p.read_bytes() for p in write_flight(tmp_path / "b", 8)]
    assert first == again
    assert len(set(first)) == 8


def test_each_photo_says_where_it_was_taken_and_which_way_it_looked(tmp_path: Path) -> None:
    paths = write_flight(tmp_path, 12)
    with Image.open(paths[7]) as image:
        gps = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        xmp = image.info["xmp"]
    shot = list(shots(12))[7]
    degrees, minutes, seconds = map(float, gps[ExifTags.GPS.GPSLatitude])
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(shot.place.latitude, abs=1e-7)
    assert float(gps[ExifTags.GPS.GPSImgDirection]) == pytest.approx(shot.heading)
    assert f'drone-dji:RelativeAltitude="+{shot.height:.2f}"'.encode() in xmp
    assert shot.heading == pytest.approx(270, abs=2)  # The second of three rows flies back.


def test_photos_without_a_position_are_as_many_as_asked_and_spread(tmp_path: Path) -> None:
    lost = []
    for number, path in enumerate(write_flight(tmp_path, 8, without_position=2)):
        with Image.open(path) as image:
            if not image.getexif().get_ifd(ExifTags.IFD.GPSInfo):
                lost.append(number)
    assert lost == [0, 4]


def test_the_tables_name_every_photo(tmp_path: Path) -> None:
    paths = write_flight(tmp_path, 6)
    for name in ("images.csv", "truth.csv"):
        with (tmp_path / name).open(newline="") as stream:
            assert [row["filename"] for row in csv.DictReader(stream)] == [p.name for p in paths]


def test_disease_is_where_the_hot_spots_are() -> None:
    flown = list(shots(2000))
    field_width = max(shot.place.longitude for shot in flown) - FIELD[1]
    field_height = max(shot.place.latitude for shot in flown) - FIELD[0]
    for spot in HOT_SPOTS:
        sick = [shot for shot in flown if shot.kind is spot.kind]
        inside = [
            shot.kind is spot.kind
            for shot in flown
            if abs((shot.place.longitude - FIELD[1]) / field_width - spot.east) < spot.radius
            and abs((shot.place.latitude - FIELD[0]) / field_height - spot.north) < spot.radius
        ]
        assert mean(inside) > 3 * len(sick) / len(flown)
    assert Counter(shot.kind for shot in flown)[Kind.HEALTHY] > 1500


def test_a_field_of_2000_photos_is_some_hundred_metres_wide() -> None:
    flown = list(shots(2000))
    height = (max(s.place.latitude for s in flown) - min(s.place.latitude for s in flown)) * METRES_PER_DEGREE
    assert height == pytest.approx(39 * SPACING, rel=0.02)
    assert {shot.flight for shot in flown} == {"flight-1", "flight-2"}
    assert len({shot.taken.date() for shot in flown}) == 2


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (52, "BA")])
def test_beds_have_letters(number: int, name: str) -> None:
    assert bed_name(number) == name


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flight", "--images", "3", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("3 synthetic photos of a flight")


def test_more_photos_without_a_position_than_photos_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["flight", "--images", "3", "--without-position", "4", "--out", str(tmp_path)])
    assert caught.value.code == 2
