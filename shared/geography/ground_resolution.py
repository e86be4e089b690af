"""The ground resolution of a photograph: millimetres of plant or ground in one of its pixels.

It is the height of the camera above the ground divided by its focal length in pixels: the pinhole camera, as in Pix4D's
"Ground sampling distance" and DJI's image processing guides. It holds for a camera that looks down, at what lies as
high as the ground: a canopy of two metres, seen from twelve, has pixels smaller by a sixth.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.pose import Pose
from shared.contracts.tiling import (
    MAX_GROUND_RESOLUTION_MM,
    MIN_EDGE,
    MIN_GROUND_RESOLUTION_MM,
    GroundResolutionSource,
)

FILM_DIAGONAL_MM = math.hypot(36, 24)  # 43.27: "35 mm equivalent" compares diagonals (CIPA DCG-001)
STRAIGHT_DOWN_DEGREES = -90.0
MAX_TILT_DEGREES = 25.0
MM_PER_M = 1000.0
# The longer side of a picture beside the shorter one: programs that make it smaller keep this.
SAME_SHAPE = 0.02


class UnknownResolution(StrEnum):
    """The reason why the ground resolution of a photograph is unknown, as the end of a sentence."""

    NO_HEIGHT = "nothing says how high above the ground the camera was"
    NO_FOCAL_LENGTH = "the file names no focal length in pixels, in 35 mm film, or with the size of its sensor"
    LOOKS_ELSEWHERE = f"the camera did not look down (more than {MAX_TILT_DEGREES:g} degrees away)"
    NO_SIZE = "the size of the picture cannot be read"


@dataclass(frozen=True, slots=True)
class GroundResolution:
    """Millimetres in one pixel of the original, and who says so."""

    mm: float
    source: GroundResolutionSource


def find_ground_resolution(
    pose: Pose, size: tuple[int, int] | None, *, of_job: float | None = None, height_above_ground: float | None = None
) -> GroundResolution | UnknownResolution:
    """Find the ground resolution of a photograph, or the reason why it is unknown.

    Args:
        pose: of its file.
        size: width and height in pixels; None if they are unknown.
        of_job: what the client says of all photographs of the job, in millimetres a pixel; wins outright.
        height_above_ground: of the camera in metres, as the client or a sidecar says.
    """
    if of_job is not None:
        return GroundResolution(of_job, GroundResolutionSource.JOB)
    source = GroundResolutionSource.FILE if height_above_ground is None else GroundResolutionSource.SIDECAR
    height = pose.relative_altitude_m if height_above_ground is None else height_above_ground
    if height is None or height <= 0:
        return UnknownResolution.NO_HEIGHT
    if not looks_down(pose):
        return UnknownResolution.LOOKS_ELSEWHERE
    if size is None:
        return UnknownResolution.NO_SIZE
    focal_length = focal_length_px(pose, size)
    if focal_length is None:
        return UnknownResolution.NO_FOCAL_LENGTH
    mm = height * MM_PER_M / focal_length
    is_true = MIN_GROUND_RESOLUTION_MM <= mm <= MAX_GROUND_RESOLUTION_MM
    return GroundResolution(mm, source) if is_true else UnknownResolution.NO_HEIGHT


def looks_down(pose: Pose) -> bool:
    """Return True if a camera looks down, within 25 degrees, or nobody says where it looks."""
    pitch = pose.gimbal_pitch_degrees
    return pitch is None or abs(pitch - STRAIGHT_DOWN_DEGREES) <= MAX_TILT_DEGREES


def focal_length_px(pose: Pose, size: tuple[int, int]) -> float | None:
    """Return the focal length in pixels of a picture of this width and height.

    The maker's calibration comes first, then the focal length in 35 mm film, which compares diagonals, then the focal
    length in millimetres with the pixels of a millimetre of the sensor. The first and the last are about the picture
    that the camera made; a smaller copy of it has fewer pixels for the same angle.
    """
    if pose.focal_length_px is not None:
        return pose.focal_length_px * _reduction(pose, size)
    if pose.focal_length_35mm is not None:
        return pose.focal_length_35mm / FILM_DIAGONAL_MM * math.hypot(*size)
    if pose.focal_length_mm is not None and pose.focal_plane_px_per_mm is not None:
        return pose.focal_length_mm * pose.focal_plane_px_per_mm * _reduction(pose, size)
    return None


def _reduction(pose: Pose, size: tuple[int, int]) -> float:
    """Return the size of a picture beside that of the camera's own; 1 where that is unknown, or was cut."""
    if pose.original_width_px is None or pose.original_height_px is None:
        return 1.0
    long, short = max(size), min(size)
    original = sorted((pose.original_width_px, pose.original_height_px))
    if abs(long / short - original[1] / original[0]) > SAME_SHAPE:
        return 1.0
    return long / original[1]


def edge_in_pixels(edge_mm: float, resolution_mm: float, size: tuple[int, int] | None) -> int | None:
    """Return the edge of a tile of so many millimetres in pixels; None if nothing would be left to see in it.

    An edge is at most the longer side of the picture, whose one tile it is then.
    """
    edge = round(edge_mm / resolution_mm)
    if edge < MIN_EDGE:
        return None
    return edge if size is None else min(edge, max(*size, MIN_EDGE))
