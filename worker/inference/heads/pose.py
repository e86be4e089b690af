"""The pose of a photograph out of its metadata.

Sources: DJI, "Mavic 3M Image Processing Guide" and the users' manuals of Mavic 3M and Matrice 4 (metadata of
photographs); Pix4D, "Specification of XMP Camera tags"; Parrot, "Photo metadata"; EXIF 2.32. Where several blocks
differ, each value comes from the first that has it.
"""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from types import MappingProxyType

from shared.contracts.pose import Pose
from worker.inference.geography import exif as tags
from worker.inference.geography.exif import only_number
from worker.inference.geography.metadata import Metadata
from worker.inference.geography.place import place_of
from worker.inference.geography.xmp import number

# In XMP, by the name in the pose: the first that is there counts.
_IN_XMP: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "relative_altitude_m": ("drone-dji:RelativeAltitude", "Camera:AboveGroundAltitude"),
        "gimbal_yaw_degrees": ("drone-dji:GimbalYawDegree", "drone-parrot:CameraYawDegree", "Camera:Yaw"),
        "gimbal_roll_degrees": ("drone-dji:GimbalRollDegree", "drone-parrot:CameraRollDegree", "Camera:Roll"),
        "gimbal_pitch_degrees": ("drone-dji:GimbalPitchDegree", "drone-parrot:CameraPitchDegree"),
        "flight_yaw_degrees": ("drone-dji:FlightYawDegree",),
        "flight_pitch_degrees": ("drone-dji:FlightPitchDegree",),
        "flight_roll_degrees": ("drone-dji:FlightRollDegree",),
        "focal_length_px": ("drone-dji:CalibratedFocalLength",),
        "optical_center_x_px": ("drone-dji:CalibratedOpticalCenterX",),
        "optical_center_y_px": ("drone-dji:CalibratedOpticalCenterY",),
        "focal_length_mm": ("exif:FocalLength",),
        "focal_length_35mm": ("exif:FocalLengthIn35mmFilm",),
        "original_width_px": ("exif:PixelXDimension",),
        "original_height_px": ("exif:PixelYDimension",),
        "rtk_flag": ("drone-dji:RtkFlag",),
        "rtk_height_deviation_m": ("drone-dji:RtkStdHgt", "Camera:GPSZAccuracy"),
        "target_distance_m": ("drone-dji:LRFTargetDistance",),
    }
)
_IN_EXIF: Mapping[str, int] = MappingProxyType(
    {
        "focal_length_mm": tags.FOCAL_LENGTH,
        "focal_length_35mm": tags.FOCAL_LENGTH_35MM,
        "original_width_px": tags.PIXEL_WIDTH,
        "original_height_px": tags.PIXEL_HEIGHT,
    }
)
_TEXTS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {"make": (tags.MAKE, "tiff:Make"), "model": (tags.MODEL, "tiff:Model")}
)
# EXIF 2.32, tag 0xA210: inch, centimetre; and two that are not in the standard and that cameras write.
_UNIT_MM = MappingProxyType({2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001})
_INCH = 2  # the default
# Pix4D counts the pitch of a camera from straight down; these makers write into its tags what others write into theirs.
_PITCH_FROM_HORIZON = frozenset({"parrot", "autel robotics"})
_DOWN = -90.0


def pose_of(metadata: Metadata, camera_zone: tzinfo | None = None) -> Pose:
    """Return the pose; a value that nobody says, or that cannot be true, is None.

    Args:
        metadata: of a file.
        camera_zone: the zone of camera clocks that do not write theirs.
    """
    place = place_of(metadata, camera_zone)
    make, model = _text(metadata, "make"), _text(metadata, "model")
    values = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "position_fault": place.fault,
        "altitude_m": place.altitude,
        "heading_degrees": place.heading,
        "captured_at": place.captured_at,
        "altitude_type": next((text for p in metadata.packets if (text := p.get("drone-dji:AltitudeType"))), None),
        "make": make,
        "model": model,
        "focal_plane_px_per_mm": _focal_plane(metadata),
        "rtk_deviation_m": _deviation(metadata),
    }
    values |= {name: _first(_numbers(metadata, name)) for name in _IN_XMP}
    if values["gimbal_pitch_degrees"] is None:
        values["gimbal_pitch_degrees"] = _pix4d_pitch(metadata, make)
    return Pose.of(values)


def _numbers(metadata: Metadata, name: str) -> Iterator[float | None]:
    """Yield the candidates of a number: EXIF before XMP; 0 of EXIF is how cameras write that they do not know."""
    if name in _IN_EXIF:
        yield from (only_number(camera.get(_IN_EXIF[name])) or None for camera in metadata.cameras)
    for key in _IN_XMP[name]:
        yield from (number(packet.get(key)) for packet in metadata.packets)


def _first(candidates: Iterator[float | None]) -> float | None:
    return next((value for value in candidates if value is not None), None)


def _text(metadata: Metadata, name: str) -> str | None:
    tag, key = _TEXTS[name]
    in_exif = (value for camera in metadata.cameras if isinstance(value := camera.get(tag), str) and value)
    return next(in_exif, next((value for packet in metadata.packets if (value := packet.get(key))), None))


def _focal_plane(metadata: Metadata) -> float | None:
    """Return pixels on a millimetre of the sensor, from directories of EXIF that have both number and unit."""
    for camera in metadata.cameras:
        pixels = only_number(camera.get(tags.FOCAL_PLANE_X))
        unit = only_number(camera.get(tags.FOCAL_PLANE_UNIT))
        millimetres = _UNIT_MM.get(_INCH if unit is None else int(unit))
        if pixels and millimetres:
            return pixels / millimetres
    return None


def _deviation(metadata: Metadata) -> float | None:
    """Return the larger deviation of the two directions over the ground."""
    for packet in metadata.packets:
        both = [number(packet.get(key)) for key in ("drone-dji:RtkStdLat", "drone-dji:RtkStdLon")]
        known = [value for value in [*both, number(packet.get("Camera:GPSXYAccuracy"))] if value is not None]
        if known:
            return max(known)
    return None


def _pix4d_pitch(metadata: Metadata, make: str | None) -> float | None:
    pitch = _first(number(packet.get("Camera:Pitch")) for packet in metadata.packets)
    if pitch is None or (make or "").strip().lower() in _PITCH_FROM_HORIZON:
        return pitch
    return pitch + _DOWN
