from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from deploy.local.synthetic import write_set
from deploy.local.synthetic.__main__ import main
from deploy.local.synthetic.exif import METRES_PER_DEGREE, SPACING, position
from deploy.local.synthetic.folder import FORMATS, TWELVE_MEGAPIXELS, TWENTY_MEGAPIXELS, mixed_sizes
from shared.contracts.states import ImageErrorCode
from worker.inference.decode import decode
from worker.inference.errors import ImageError


def test_names_say_number_and_kind(tmp_path: Path) -> None:
    paths = write_set(tmp_path / "new", 4, size=(64, 64))
    assert [p.name for p in paths] == [
        "synthetic_0001_healthy.jpg",
        "synthetic_0002_powdery_mildew.jpg",
        "synthetic_0003_rust.jpg",
        "synthetic_0004_healthy.jpg",
    ]


@pytest.mark.slow
def test_every_file_differs_and_a_seed_repeats_them(tmp_path: Path) -> None:
    first = [p.read_bytes() for p in write_set(tmp_path / "a", 12, size=(64, 48), broken=2, seed=3)]
    again = [p.read_bytes() for p in write_set(tmp_path / "b", 12, size=(64, 48), broken=2, seed=3)]
    other = [p.read_bytes() for p in write_set(tmp_path / "c", 12, size=(64, 48), seed=4)]
    assert first == again
    assert len(set(first + other)) == 14 + 12


def test_broken_files_are_what_their_names_say(tmp_path: Path) -> None:
    codes = []
    for path in write_set(tmp_path, 0, broken=2):
        assert path.suffix == ".jpg"
        with pytest.raises(ImageError) as caught:
            decode(path.read_bytes())
        codes.append(caught.value.code)
    assert codes == [ImageErrorCode.TRUNCATED, ImageErrorCode.UNSUPPORTED_FORMAT]


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_format_is_read_by_the_service(image_format: str, tmp_path: Path) -> None:
    for path in write_set(tmp_path, 2, size=(80, 60), image_format=image_format):
        assert decode(path.read_bytes()).shape == (60, 80, 3)


def test_twelve_megapixels_weigh_what_a_camera_writes(tmp_path: Path) -> None:
    (path,) = write_set(tmp_path, 1, size=TWELVE_MEGAPIXELS)
    assert 3_000_000 <= path.stat().st_size <= 12_000_000


def test_a_mixed_set_has_a_few_large_pictures() -> None:
    sizes = list(mixed_sizes(60, seed=0))
    assert len(sizes) == 60
    assert sizes.count(TWENTY_MEGAPIXELS) == 1
    assert sizes.count(TWELVE_MEGAPIXELS) == 3
    small = [s for s in sizes if s not in (TWELVE_MEGAPIXELS, TWENTY_MEGAPIXELS)]
    assert all(256 <= edge <= 1600 for size in small for edge in size)


def test_the_metadata_has_camera_time_and_place(tmp_path: Path) -> None:
    paths = write_set(tmp_path, 3, size=(64, 64))
    with Image.open(paths[2]) as image:
        exif = image.getexif()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    degrees, minutes, seconds = map(float, gps[ExifTags.GPS.GPSLatitude])
    assert exif[ExifTags.Base.Model] == "Synthetic Leaf"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:06:03 08:30:06"
    assert gps[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(position(2).latitude, abs=1e-7)
    assert float(gps[ExifTags.GPS.GPSAltitude]) == position(2).altitude


def test_the_flight_goes_to_and_fro_in_even_steps() -> None:
    places = [position(n) for n in range(35)]
    assert len(set(places)) == 35
    for here, there in pairwise(places):
        north = (there.latitude - here.latitude) * METRES_PER_DEGREE
        east = (there.longitude - here.longitude) * METRES_PER_DEGREE * cos(radians(here.latitude))
        assert hypot(north, east) == pytest.approx(SPACING, rel=1e-3)


@pytest.mark.parametrize("options", [{"image_format": "gif"}, {"count": -1}, {"broken": -1}])
def test_options_without_sense_are_refused(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must"):
        write_set(tmp_path, **{"count": 1, **options})  # type: ignore[arg-type]  # wrong on purpose


def test_the_command_writes_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--count", "2", "--size", "96x64", "--broken", "1"]) == 0
    assert capsys.readouterr().out.startswith("3 synthetic files")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("size", ["20x", "0x5", "9000x9000", "-1x4"])
def test_a_size_without_sense_is_a_usage_error(size: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path), "--size", size])
    assert caught.value.code == 2
