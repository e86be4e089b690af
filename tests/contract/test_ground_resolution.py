"""One formula of ground resolution: server, `phytobatch plan` and the manual say the same."""

import re
from pathlib import Path

import pytest

from phytobatch.flights.cameras import CAMERAS, Camera
from phytobatch.flights.ground import View
from shared.contracts.pose import Pose
from shared.geography.ground_resolution import GroundResolution, find_ground_resolution

PAGE = (Path(__file__).parents[2] / "docs" / "geography.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+) \| (\d+) x (\d+) \|((?: [\d.]+ \|){6})$", re.MULTILINE)
HEIGHTS = (1, 2, 5, 10, 20, 40)
BY_TITLE = {camera.title: camera for camera in CAMERAS.values()}


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=str)
def test_server_and_client_compute_the_same(camera: Camera) -> None:
    pose = Pose(focal_length_px=camera.focal_mm / camera.sensor_width_mm * camera.width)
    found = find_ground_resolution(pose, (camera.width, camera.height), height_above_ground=12.0)
    assert isinstance(found, GroundResolution)
    assert found.mm == pytest.approx(View(camera, 12.0).pixel_mm)


def test_the_table_of_the_manual_is_computed() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) > 5
    for title, width, height, cells in rows:
        camera = BY_TITLE[title]
        assert (int(width), int(height)) == (camera.width, camera.height)
        computed = [f"{View(camera, height).pixel_mm:.2g}" for height in HEIGHTS]
        assert re.findall(r"[\d.]+", cells) == computed, title


def test_a_camera_of_a_maker_who_says_35_mm_film_is_read_from_its_files() -> None:
    camera = CAMERAS["mini-4-pro"]
    pose = Pose(focal_length_35mm=24.0, relative_altitude_m=5.0)
    found = find_ground_resolution(pose, (camera.width, camera.height))
    assert isinstance(found, GroundResolution)
    assert found.mm == pytest.approx(View(camera, 5.0).pixel_mm, rel=1e-3)
