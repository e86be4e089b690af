"""The pose of a photograph: where its camera was, how it looked, and its optics, as the file says it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.contracts import stored
from shared.contracts.geography import PositionFault

MAX_HEIGHT_M = 20_000.0
TURN = 360.0
MIN_FOCAL_LENGTH = 0.001
MAX_FOCAL_LENGTH_PX = 1_000_000.0
MAX_FOCAL_LENGTH_MM = 10_000.0
MAX_PIXELS = 2**31 - 1
NAME_LENGTH = 80
# Orientations of EXIF with which the stored width is the height of the upright picture.
SWAPS_EDGES = frozenset({5, 6, 7, 8})


class Pose(BaseModel):
    """The words of a file about place, attitude and optics of its camera; what it does not say is None.

    Attributes:
        latitude: degrees north, WGS 84; together with ``longitude``.
        longitude: degrees east.
        position_fault: why there is neither.
        altitude_m: as the file counts it: above sea level, or above the ellipsoid.
        altitude_type: DJI's word for the source of its altitudes, as ``RtkAlt``.
        heading_degrees: of the camera, clockwise from true north, 0 to 360.
        captured_at: in UTC.
        relative_altitude_m: above the place of the take-off.
        gimbal_yaw_degrees: clockwise from north.
        gimbal_pitch_degrees: 0 looks at the horizon, -90 straight down.
        gimbal_roll_degrees: around the axis of the lens.
        flight_yaw_degrees: of what carries the camera, likewise.
        flight_pitch_degrees: likewise.
        flight_roll_degrees: likewise.
        focal_length_px: in pixels of the original picture, as the maker calibrated it.
        optical_center_x_px: likewise.
        optical_center_y_px: likewise.
        focal_length_mm: as EXIF says it.
        focal_length_35mm: of a camera of 36 x 24 mm with the same field of view.
        focal_plane_px_per_mm: pixels of the original picture on a millimetre of the sensor.
        original_width_px: of the picture as the camera made it, if EXIF says so.
        original_height_px: likewise.
        rtk_flag: DJI's quality of the position: 0 none, 16 metres, 32 to 49 decimetres, 50 centimetres.
        rtk_deviation_m: standard deviation of the position over the ground.
        rtk_height_deviation_m: of its height.
        target_distance_m: to the ground, of a laser range finder.
        make: of the camera.
        model: of the camera.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    latitude: float | None = None
    longitude: float | None = None
    position_fault: PositionFault | None = None
    altitude_m: float | None = None
    altitude_type: str | None = None
    heading_degrees: float | None = None
    captured_at: datetime | None = None
    relative_altitude_m: float | None = None
    gimbal_yaw_degrees: float | None = None
    gimbal_pitch_degrees: float | None = None
    gimbal_roll_degrees: float | None = None
    flight_yaw_degrees: float | None = None
    flight_pitch_degrees: float | None = None
    flight_roll_degrees: float | None = None
    focal_length_px: float | None = None
    optical_center_x_px: float | None = None
    optical_center_y_px: float | None = None
    focal_length_mm: float | None = None
    focal_length_35mm: float | None = None
    focal_plane_px_per_mm: float | None = None
    original_width_px: int | None = None
    original_height_px: int | None = None
    rtk_flag: int | None = None
    rtk_deviation_m: float | None = None
    rtk_height_deviation_m: float | None = None
    target_distance_m: float | None = None
    make: str | None = None
    model: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Pose":
        """Make a pose of what a file says; a value that cannot be true, or cannot be stored, is left out."""
        kept = {name: stored.or_none(_KINDS[name], value) for name, value in values.items()}
        if kept.get("latitude") is None or kept.get("longitude") is None:
            kept |= {"latitude": None, "longitude": None}
        return cls.model_construct(**kept)

    def to_json(self) -> dict[str, Any]:
        """Return what is known, as JSON."""
        return self.model_dump(mode="json", exclude_none=True)


def _number(lowest: float, highest: float) -> Callable[[float], float]:
    def check(value: float) -> float:
        if not lowest <= stored.double(float(value)) <= highest:
            msg = f"must be {lowest:g} to {highest:g}"
            raise ValueError(msg)
        return float(value)

    return check


def _whole(lowest: int, highest: int) -> Callable[[float], int]:
    within = _number(lowest, highest)
    return lambda value: int(within(value))


def _name(value: str) -> str:
    short = " ".join(stored.words(value).split())[:NAME_LENGTH]
    if not short:
        msg = "must not be empty"
        raise ValueError(msg)
    return short


_ANGLE, _METRES = _number(-TURN, TURN), _number(-MAX_HEIGHT_M, MAX_HEIGHT_M)
_DEVIATION = _number(0, MAX_HEIGHT_M)
_PIXELS = _number(MIN_FOCAL_LENGTH, MAX_FOCAL_LENGTH_PX)
_MILLIMETRES = _number(MIN_FOCAL_LENGTH, MAX_FOCAL_LENGTH_MM)
_KINDS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "latitude": _number(-90, 90),
        "longitude": _number(-180, 180),
        "position_fault": PositionFault,
        "altitude_m": _METRES,
        "altitude_type": _name,
        "heading_degrees": _number(0, TURN),
        "captured_at": stored.moment,
        "relative_altitude_m": _METRES,
        **dict.fromkeys(("gimbal_yaw_degrees", "gimbal_pitch_degrees", "gimbal_roll_degrees"), _ANGLE),
        **dict.fromkeys(("flight_yaw_degrees", "flight_pitch_degrees", "flight_roll_degrees"), _ANGLE),
        **dict.fromkeys(("focal_length_px", "optical_center_x_px", "optical_center_y_px"), _PIXELS),
        **dict.fromkeys(("focal_length_mm", "focal_length_35mm"), _MILLIMETRES),
        "focal_plane_px_per_mm": _PIXELS,
        **dict.fromkeys(("original_width_px", "original_height_px"), _whole(1, MAX_PIXELS)),
        "rtk_flag": _whole(0, 255),
        **dict.fromkeys(("rtk_deviation_m", "rtk_height_deviation_m", "target_distance_m"), _DEVIATION),
        **dict.fromkeys(("make", "model"), _name),
    }
)
