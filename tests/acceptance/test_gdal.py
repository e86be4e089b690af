"""GDAL reads every geographic export without a word: the right count, extent and fields.

Debian's ``ogrinfo`` (package gdal-bin) is the reader, because it is what most farm systems have inside.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from phytobatch import Result
from tests.acceptance.system import ROOT, System
from tests.patience import PATIENCE_SECONDS
from tests.programs import program

FLIGHT_IMAGES = 2000
EXTENT = re.compile(r"Extent: \(([-0-9.]+), ([-0-9.]+)\) - \(([-0-9.]+), ([-0-9.]+)\)")
# Format, suffix, and what its fields are called there.
GEOGRAPHIC = (
    ("geojson", "geojson", {"seq: Integer", "confidence: Real", "latitude: Real", "captured_at: DateTime"}),
    ("shapefile", "shp.zip", {"seq: Integer64", "confidence: Real", "latitude: Real", "captured: String"}),
    ("kml", "kml", {"seq: Integer", "confidence: Real", "latitude: Real", "captured_at: String"}),
)


@pytest.fixture(scope="module", autouse=True)
def ogrinfo() -> str:
    return str(program("ogrinfo"))


@pytest.fixture
def exiftool() -> str:
    return str(program("exiftool"))


def phytobatch(system: System, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "phytobatch", *arguments],
        env=system.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode in {0, 3}, (done.stdout, done.stderr)


def submitted(system: System, folder: Path) -> str:
    phytobatch(system, "submit", str(folder), "--name", folder.name, "--watch")
    with system.client() as api:
        return next(job.id for job in api.jobs() if job.name == folder.name)


def check(system: System, job_id: str, folder: Path, suffix: str, fields: set[str]) -> None:
    out = folder / f"results.{suffix}"
    phytobatch(system, "export", job_id, "--out", str(out))
    source = f"/vsizip/{out}" if suffix.endswith("zip") else str(out)
    seen = subprocess.run(["ogrinfo", "-al", "-so", source], capture_output=True, text=True, check=True)
    results = system.results(job_id)
    placed = [result for result in results if result.place.latitude is not None]
    assert seen.stderr == ""
    assert f"Feature Count: {len(results)}" in seen.stdout
    assert 'GEOGCRS["WGS 84"' in seen.stdout
    assert not {field for field in fields if field not in seen.stdout}, seen.stdout
    match = EXTENT.search(seen.stdout)
    assert match is not None
    assert [float(edge) for edge in match.groups()] == pytest.approx(extent(placed), abs=1e-6)
    summary = f"{folder.name} {suffix}: {len(results)} features, {len(placed)} with a position, {match.group()}"
    print(summary)  # noqa: T201  # for the report


def extent(results: list[Result]) -> list[float]:
    longitudes = [float(result.place.longitude or 0) for result in results]
    latitudes = [float(result.place.latitude or 0) for result in results]
    return [min(longitudes), min(latitudes), max(longitudes), max(latitudes)]


@pytest.fixture(scope="module")
def flight(stack: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A synthetic flight, classified."""
    folder = tmp_path_factory.mktemp("synthetic") / "flight"
    how = ["--images", str(FLIGHT_IMAGES), "--without-position", "7"]
    subprocess.run(
        [sys.executable, "-m", "deploy.local.synthetic", "flight", *how, "--out", str(folder)],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    return submitted(stack, folder)


@pytest.fixture(scope="module")
def drone(stack: System, real_data: Path) -> str:
    """Real photographs of four drones, classified."""
    return submitted(stack, real_data / "drone")


@pytest.mark.parametrize(("name", "suffix", "fields"), GEOGRAPHIC, ids=[name for name, _, _ in GEOGRAPHIC])
def test_gdal_reads_a_synthetic_flight(
    stack: System, flight: str, tmp_path: Path, name: str, suffix: str, fields: set[str]
) -> None:
    folder = tmp_path / f"flight-{name}"
    folder.mkdir()
    check(stack, flight, folder, suffix, fields)


@pytest.mark.parametrize(("name", "suffix", "fields"), GEOGRAPHIC, ids=[name for name, _, _ in GEOGRAPHIC])
def test_gdal_reads_the_photographs_of_drones(
    stack: System, drone: str, tmp_path: Path, name: str, suffix: str, fields: set[str]
) -> None:
    folder = tmp_path / f"drone-{name}"
    folder.mkdir()
    check(stack, drone, folder, suffix, fields)


def test_gdal_reads_positions_of_a_csv_file_as_points(stack: System, flight: str, tmp_path: Path) -> None:
    out = tmp_path / "flight.csv"
    phytobatch(stack, "export", flight, "--out", str(out))
    options = ["-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude", "-oo", "AUTODETECT_TYPE=YES"]
    seen = subprocess.run(["ogrinfo", "-al", "-so", *options, str(out)], capture_output=True, text=True, check=True)
    assert (seen.stderr, f"Feature Count: {FLIGHT_IMAGES}" in seen.stdout) == ("", True)
    assert "Geometry: Point" in seen.stdout


def test_exported_positions_are_those_that_exiftool_reads(
    exiftool: str, stack: System, drone: str, real_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "drone.geojson"
    phytobatch(stack, "export", drone, "--out", str(out))
    exported = {
        feature["properties"]["name"]: feature["geometry"]["coordinates"]
        for feature in json.loads(out.read_bytes())["features"]
    }
    command = [exiftool, "-n", "-json", "-r", "-Composite:GPSLatitude", "-Composite:GPSLongitude", "-ext", "jpg"]
    read = subprocess.run([*command, str(real_data / "drone")], capture_output=True, text=True, check=True)
    told = {
        Path(one["SourceFile"]).relative_to(real_data / "drone").as_posix(): [one["GPSLongitude"], one["GPSLatitude"]]
        for one in json.loads(read.stdout)
    }
    assert set(told) == set(exported)
    for name, position in exported.items():
        assert position == pytest.approx(told[name], abs=1e-7)
