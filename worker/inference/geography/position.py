"""Latitude, longitude and altitude of a file, or why there are none. The datum is taken for WGS 84, as GPS gives it."""

from dataclasses import dataclass
from math import isfinite

from shared.contracts.geography import PositionFault
from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Exif, Value
from worker.inference.geography.xmp import Xmp, number

NULL_ISLAND = 1e-6  # degrees; receivers without a fix write 0, 0
LOWEST, HIGHEST = -1000.0, 100_000.0  # metres; nothing that takes photos of plants is outside
VOID = "V"
# Number of values, and how many of each make a degree.
MOST_PARTS = 3
SIXTY = 60.0
# EXIF 3.0, GPSAltitudeRef: below sea level, and below the ellipsoid.
BELOW = frozenset({1.0, 3.0})


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees north and east."""

    latitude: float
    longitude: float


def position_of(exif: Exif | None, xmp: Xmp) -> Position | PositionFault:
    """The position in EXIF; where that has none, the one in XMP; where both have none, the fault of EXIF."""
    first = PositionFault.NO_POSITION if exif is None else _in_exif(exif)
    if isinstance(first, Position):
        return first
    second = _checked(number(xmp, "latitude"), number(xmp, "longitude"))
    if isinstance(second, Position) or first is PositionFault.NO_POSITION:
        return second
    return first


def altitude_of(exif: Exif | None, xmp: Xmp) -> float | None:
    """Metres, as EXIF counts them (above sea level); else DJI's absolute altitude. Never the height above take-off."""
    gps = exif.gps if exif is not None else None
    metres = _only(gps.get(tags.ALTITUDE)) if gps else None
    if gps and metres is not None and _only(gps.get(tags.ALTITUDE_REF)) in BELOW:
        metres = -metres
    if metres is None:
        metres = number(xmp, "altitude")
    return metres if metres is not None and LOWEST <= metres <= HIGHEST else None


def _in_exif(exif: Exif) -> Position | PositionFault:
    if exif.gps is None:
        return PositionFault.INVALID_POSITION if exif.gps_lost else PositionFault.NO_POSITION
    gps = exif.gps
    parts = (gps.get(tags.LATITUDE), gps.get(tags.LONGITUDE))
    if parts == (None, None):
        return PositionFault.NO_POSITION
    if gps.get(tags.STATUS) == VOID or any(isinstance(part, tuple) and None in part for part in parts):
        return PositionFault.NO_FIX
    latitude, longitude = map(_degrees, parts)
    if latitude == 0 and longitude == 0:
        return PositionFault.NO_FIX
    north, east = _sign(gps.get(tags.LATITUDE_REF), "NS"), _sign(gps.get(tags.LONGITUDE_REF), "EW")
    if latitude is None or longitude is None or north is None or east is None:
        return PositionFault.INVALID_POSITION
    return _checked(latitude * north, longitude * east)


def _checked(latitude: float | None, longitude: float | None) -> Position | PositionFault:
    if latitude is None and longitude is None:
        return PositionFault.NO_POSITION
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004
        return PositionFault.INVALID_POSITION
    if abs(latitude) < NULL_ISLAND and abs(longitude) < NULL_ISLAND:
        return PositionFault.NO_FIX
    return Position(latitude, longitude)


def _degrees(value: Value | None) -> float | None:
    """Degrees, minutes and seconds as degrees; None where they are no numbers from 0 on."""
    if not isinstance(value, tuple) or len(value) > MOST_PARTS:
        return None
    total = 0.0
    for part in reversed(value):
        if part is None or not isfinite(part) or part < 0:
            return None
        total = total / SIXTY + part
    return total


def _sign(reference: Value | None, letters: str) -> int | None:
    """1 or -1 by the first letter; None where it is neither: a hemisphere is never guessed."""
    letter = reference[:1].upper() if isinstance(reference, str) else ""
    return {letters[0]: 1, letters[1]: -1}.get(letter)


def _only(value: Value | None) -> float | None:
    """The one number of a tag, if it is one."""
    if not isinstance(value, tuple) or value[0] is None or not isfinite(value[0]):
        return None
    return float(value[0])
