"""The size of a pixel on the ground: worked examples, and every reason why it is unknown."""

import pytest

from shared.contracts.pose import Pose
from shared.contracts.tiling import GroundResolutionSource
from shared.geography.ground_resolution import (
    GroundResolution,
    UnknownResolution,
    edge_in_pixels,
    find_ground_resolution,
    focal_length_px,
    looks_down,
)

SIZE = (4000, 3000)
PX = Pose(relative_altitude_m=30.0, focal_length_px=3000.0)


def mm_of(pose: Pose, size: tuple[int, int] | None = SIZE, **how: float) -> float:
    found = find_ground_resolution(pose, size, **how)
    assert isinstance(found, GroundResolution), found
    return found.mm


def test_thirty_metres_over_three_thousand_pixels_are_ten_millimetres() -> None:
    assert find_ground_resolution(PX, SIZE) == GroundResolution(10.0, GroundResolutionSource.FILE)


@pytest.mark.parametrize(
    ("pose", "size", "mm"),
    [
        # Phantom 4 Pro at 100 m: 2.7 cm a pixel on its data sheet (H/36.5 cm with H in metres).
        (Pose(relative_altitude_m=100.0, focal_length_mm=8.8, focal_plane_px_per_mm=5472 / 13.2), (5472, 3648), 27.4),
        # Mavic 3E: 12.29 mm in 17.3 x 13 mm and 24 mm in 35 mm film, at 12 m.
        (Pose(relative_altitude_m=12.0, focal_length_px=12.29 / 17.3 * 5280), (5280, 3956), 3.2),
        (Pose(relative_altitude_m=12.0, focal_length_35mm=24.0), (5280, 3956), 3.28),
    ],
)
def test_cameras_of_the_field(pose: Pose, size: tuple[int, int], mm: float) -> None:
    assert mm_of(pose, size) == pytest.approx(mm, rel=0.01)


def test_the_job_wins_then_the_height_that_was_sent_then_the_file() -> None:
    assert find_ground_resolution(PX, SIZE, of_job=0.5, height_above_ground=3.0) == GroundResolution(
        0.5, GroundResolutionSource.JOB
    )
    assert find_ground_resolution(PX, SIZE, height_above_ground=3.0) == GroundResolution(
        1.0, GroundResolutionSource.SIDECAR
    )
    assert find_ground_resolution(Pose(gimbal_pitch_degrees=0.0), None, of_job=0.5) == GroundResolution(
        0.5, GroundResolutionSource.JOB
    )


@pytest.mark.parametrize(
    ("pose", "size", "reason"),
    [
        (Pose(focal_length_px=3000.0), SIZE, UnknownResolution.NO_HEIGHT),
        (Pose(altitude_m=300.0, focal_length_px=3000.0), SIZE, UnknownResolution.NO_HEIGHT),
        (PX.model_copy(update={"relative_altitude_m": -2.0}), SIZE, UnknownResolution.NO_HEIGHT),
        (PX.model_copy(update={"relative_altitude_m": 0.0}), SIZE, UnknownResolution.NO_HEIGHT),
        (PX.model_copy(update={"gimbal_pitch_degrees": -60.0}), SIZE, UnknownResolution.LOOKS_ELSEWHERE),
        (PX.model_copy(update={"gimbal_pitch_degrees": 0.0}), SIZE, UnknownResolution.LOOKS_ELSEWHERE),
        (Pose(relative_altitude_m=30.0), SIZE, UnknownResolution.NO_FOCAL_LENGTH),
        (Pose(relative_altitude_m=30.0, focal_length_mm=8.8), SIZE, UnknownResolution.NO_FOCAL_LENGTH),
        (PX, None, UnknownResolution.NO_SIZE),
    ],
)
def test_a_resolution_is_never_guessed(pose: Pose, size: tuple[int, int] | None, reason: UnknownResolution) -> None:
    assert find_ground_resolution(pose, size) is reason


@pytest.mark.parametrize(("pitch", "down"), [(None, True), (-90.0, True), (-66.0, True), (-64.0, False), (90.0, False)])
def test_a_camera_looks_down_or_does_not(pitch: float | None, *, down: bool) -> None:
    assert looks_down(Pose(gimbal_pitch_degrees=pitch)) is down


def test_a_smaller_copy_has_a_shorter_focal_length_in_pixels() -> None:
    pose = PX.model_copy(update={"original_width_px": 4000, "original_height_px": 3000})
    assert focal_length_px(pose, (2000, 1500)) == 1500.0
    assert focal_length_px(pose, (1500, 2000)) == 1500.0  # turned
    assert focal_length_px(pose, (4000, 2250)) == 3000.0  # cut
    assert focal_length_px(Pose(focal_length_35mm=24.0), (2000, 1500)) == pytest.approx(24 / 43.2666 * 2500, rel=1e-4)


@pytest.mark.parametrize(
    ("edge_mm", "mm", "edge"), [(80.0, 0.5, 160), (80.0, 2.5, 32), (80.0, 2.6, None), (80.0, 0.001, 4000)]
)
def test_millimetres_become_pixels(edge_mm: float, mm: float, edge: int | None) -> None:
    assert edge_in_pixels(edge_mm, mm, SIZE) == edge


def test_an_edge_of_an_unknown_photograph_has_no_bound() -> None:
    assert edge_in_pixels(80.0, 0.001, None) == 80_000
