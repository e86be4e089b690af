"""Pixels on the ground: against what makers publish."""

from __future__ import annotations

import pytest

from phytobatch.errors import ConfigurationError
from phytobatch.flights.cameras import CAMERAS, Camera, camera_named
from phytobatch.flights.ground import View


@pytest.mark.parametrize(
    ("name", "metres_for_a_centimetre"),
    [
        ("phantom-4-pro", 36.5),  # DJI, Phantom 4 RTK with the same camera: "GSD = (H/36.5) cm/pixel"
        ("p1-35", 80.0),  # DJI, Zenmuse P1: "GSD = H/80 for the 35 mm lens"
    ],
)
def test_it_agrees_with_the_makers_formula(name: str, metres_for_a_centimetre: float) -> None:
    assert View(CAMERAS[name], metres_for_a_centimetre).pixel_mm == pytest.approx(10.0, rel=0.01)


def test_the_picture_and_the_heights_follow() -> None:
    view = View(Camera("own", 10.0, 5.0, 4000, 3000, ""), 2.0)
    assert view.pixel_mm == pytest.approx(1.0)
    assert (view.width_m, view.height_m) == pytest.approx((4.0, 3.0))
    assert view.height_for(0.25) == pytest.approx(0.5)
    assert view.is_read((0.5, 1.0001))
    assert not view.is_read((0.0, 0.9))
    assert view.to_json((0.5, 2.0))["read_from_to_m"] == [1.0, 4.0]
    assert "is_read" not in view.to_json(None)


def test_equivalent_focal_lengths_are_real_ones_of_a_film() -> None:
    full = Camera.of_equivalent("film", 50, 3600, 2400, "")
    assert full.sensor_width_mm == pytest.approx(36.0, abs=0.01)


@pytest.mark.parametrize("name", ["mini-4-pro", "Mini 4 Pro", "DJI Mini 4 Pro", "dji mini4pro"])
def test_a_camera_is_found_as_people_write_it(name: str) -> None:
    assert camera_named(name) is CAMERAS["mini-4-pro"]


@pytest.mark.parametrize("name", ["", "mini", "GoPro"])
def test_another_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"mini-4-pro.*--sensor-width"):
        camera_named(name)


def test_every_camera_has_its_source_and_a_sensible_lens() -> None:
    for camera in CAMERAS.values():
        assert camera.source.startswith("https://")
        assert 0.02 < View(camera, 1.0).pixel_mm < 0.6
