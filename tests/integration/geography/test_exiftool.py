"""Positions of real photographs are those that exiftool reads."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.programs import program
from tests.unit.inference.geography.test_several_blocks import FILES, HERE
from worker.inference.files import image_files
from worker.inference.geography import read_place

DATA = Path(__file__).parents[4] / "shared" / "data"
FOLDERS = ("drone", "leaves/corn", "leaves-full-size")
DEGREES = 1e-7
METRES = 1e-3
ROUNDS = 200


@pytest.fixture(scope="module")
def photos() -> list[Path]:
    found = [path for folder in FOLDERS if (DATA / folder).is_dir() for path in image_files(DATA / folder)]
    if not found:
        pytest.skip(f"the photographs of {DATA} are not here")
    return found


@pytest.fixture(scope="module")
def told(photos: list[Path]) -> dict[Path, dict[str, float]]:
    """Return what exiftool reads of each photo."""
    tags = ("-Composite:GPSLatitude", "-Composite:GPSLongitude", "-Composite:GPSAltitude")
    answers: dict[Path, dict[str, float]] = {}
    for some in _in_hundreds(photos):
        answers |= _ask(tags, some)
    return answers


def _ask(tags: tuple[str, ...], files: list[Path]) -> dict[Path, dict[str, float]]:
    command = [str(program("exiftool")), "-n", "-json", *tags, *map(str, files)]
    lines = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_SECONDS).stdout
    return {Path(entry.pop("SourceFile")): entry for entry in json.loads(lines)}


def _in_hundreds(photos: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(photos), 100):
        yield photos[start : start + 100]


def test_positions_agree_with_exiftool(photos: list[Path], told: dict[Path, dict[str, float]]) -> None:
    located = 0
    for photo in photos:
        place, other = read_place(photo.read_bytes()), told[photo]
        if place.latitude is None:
            assert place.fault is not None
            assert {other.get("GPSLatitude", 0), other.get("GPSLongitude", 0)} == {0}, photo
            continue
        located += 1
        assert place.latitude == pytest.approx(other["GPSLatitude"], abs=DEGREES), photo
        assert place.longitude == pytest.approx(other["GPSLongitude"], abs=DEGREES), photo
        if "GPSAltitude" in other:
            assert place.altitude == pytest.approx(other["GPSAltitude"], abs=METRES), photo
    assert located >= 9  # The drone photos at the least.


def test_whatever_exiftool_finds_in_odd_places_is_found(tmp_path: Path) -> None:
    files = {tmp_path / str(number): make() for number, make in enumerate(FILES.values())}
    for path, data in files.items():
        path.write_bytes(data)
    agreed = 0
    for path, other in _ask(("-GPSLatitude", "-GPSLongitude"), list(files)).items():
        latitude, longitude = (float(other.get(name, 0)) for name in ("GPSLatitude", "GPSLongitude"))
        if (latitude, longitude) == pytest.approx(HERE, abs=DEGREES):
            agreed += 1
            place = read_place(files[path])
            assert (place.latitude, place.longitude) == pytest.approx(HERE, abs=DEGREES), list(FILES)[int(path.name)]
    assert agreed >= len(FILES) / 2  # It passes some over, and believes a latitude of 4294967295 degrees.


def test_the_cost_of_a_position_is_printed(photos: list[Path]) -> None:
    """No bound is asserted; ``pytest -s`` shows the figure."""
    drone = [path.read_bytes() for path in photos if "drone" in path.parts]
    if not drone:
        pytest.skip("there are no drone photos here")
    began = time.perf_counter()
    for data in drone * ROUNDS:
        read_place(data)
    microseconds = (time.perf_counter() - began) / (len(drone) * ROUNDS) * 1e6
    print(f"\nEXIF and XMP of {len(drone)} drone photos: {microseconds:.0f} microseconds each")  # noqa: T201  # a figure
