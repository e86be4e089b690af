"""Which way the camera looked: degrees clockwise from true north, 0 to 360."""

from math import isfinite

from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Exif
from worker.inference.geography.xmp import Xmp, number

TURN = 360.0
TRUE_NORTH = "T"


def heading_of(exif: Exif | None, xmp: Xmp) -> float | None:
    """The yaw of the gimbal, else that of the drone, else EXIF's direction of the image.

    A direction from magnetic north (``M``) is not taken: how far that is from true north depends on place and year, up
    to 20 degrees. One without a reference is not taken either.
    """
    for name in ("gimbal_yaw", "flight_yaw"):
        yaw = number(xmp, name)
        if yaw is not None and -TURN <= yaw <= TURN:
            return yaw % TURN
    return _direction(exif)


def _direction(exif: Exif | None) -> float | None:
    gps = exif.gps if exif is not None else None
    if not gps or gps.get(tags.DIRECTION_REF) != TRUE_NORTH:
        return None
    value = gps.get(tags.DIRECTION)
    degrees = value[0] if isinstance(value, tuple) else None
    if degrees is None or not isfinite(degrees) or not 0 <= degrees <= TURN:
        return None
    return degrees % TURN
