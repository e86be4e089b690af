"""Latitude and longitude of a file, or the fault. The datum is taken to be WGS 84, as GPS gives it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from shared.contracts.geography import PositionFault
from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Number, Tags, Value
from worker.inference.geography.metadata import Metadata
from worker.inference.geography.xmp import Xmp

NULL_ISLAND = 1e-6  # degrees; receivers without a fix write 0, 0
VOID = "V"
# Number of values, and how many of each make a degree.
MAX_PARTS = 3
SIXTY = 60.0
# Latitude and longitude; the misspelled one is of several years of DJI's firmware.
XMP_POSITIONS = (
    ("drone-dji:GpsLatitude", "drone-dji:GpsLongitude"),
    ("drone-dji:GpsLatitude", "drone-dji:GpsLongtitude"),
    ("drone-dji:Latitude", "drone-dji:Longitude"),
    ("exif:GPSLatitude", "exif:GPSLongitude"),
)
_SIGNED = re.compile(r"[+-]?\d{1,3}(?:\.\d{0,20})?")
# XMP specification, part 2, 1.2.7.4, GPSCoordinate: "DDD,MM,SSk" or "DDD,MM.mmk". Decimal degrees are met, too.
_COORDINATE = re.compile(r"(\d{1,3}(?:\.\d{0,20})?)(?:,(\d{1,2}(?:\.\d{0,20})?))?(?:,(\d{1,2}(?:\.\d{0,20})?))?")


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees north and east."""

    latitude: float
    longitude: float


def position_of(metadata: Metadata) -> Position | PositionFault:
    """Return the first position in EXIF, else in XMP; else the first fault that says more than ``no_position``."""
    fault = PositionFault.NO_POSITION
    for candidate in _candidates(metadata):
        if isinstance(candidate, Position):
            return candidate
        if fault is PositionFault.NO_POSITION:
            fault = candidate
    return fault


def _candidates(metadata: Metadata) -> Iterator[Position | PositionFault]:
    yield from map(position_in_gps, metadata.gps)
    if metadata.gps_lost:
        yield PositionFault.INVALID_POSITION
    for packet in metadata.packets:
        yield from (_in_packet(packet, *names) for names in XMP_POSITIONS)


def position_in_gps(gps: Tags) -> Position | PositionFault:
    """Return the position in one GPS directory, or the fault."""
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


def _in_packet(packet: Xmp, latitude: str, longitude: str) -> Position | PositionFault:
    """Return the position in two properties of XMP; the hemisphere is a sign, a letter, or a property of its own."""
    if latitude.startswith("exif:") and packet.get("exif:GPSStatus") == VOID:
        return PositionFault.NO_FIX
    if latitude not in packet and longitude not in packet:
        return PositionFault.NO_POSITION
    north = _coordinate(packet.get(latitude), packet.get(f"{latitude}Ref"), "NS")
    east = _coordinate(packet.get(longitude), packet.get(f"{longitude}Ref"), "EW")
    return _checked(north, east)


def _coordinate(text: str | None, reference: str | None, letters: str) -> float | None:
    """Read degrees, or None. ``41,39.192N``, ``41,39,11.52N``, ``41.6532N`` and ``+41.6532`` are the same latitude."""
    if text is None:
        return None
    if text[-1:].isalpha():
        text, reference = text[:-1].rstrip(), text[-1]
    if reference is None and _SIGNED.fullmatch(text):
        return float(text)
    match, sign = _COORDINATE.fullmatch(text), _sign(reference, letters)
    degrees = _degrees(tuple(float(part) for part in match.groups() if part)) if match else None
    return None if degrees is None or sign is None else degrees * sign


def _checked(latitude: float | None, longitude: float | None) -> Position | PositionFault:
    if latitude is None or longitude is None or not (abs(latitude) <= 90 and abs(longitude) <= 180):  # noqa: PLR2004
        return PositionFault.INVALID_POSITION
    if abs(latitude) < NULL_ISLAND and abs(longitude) < NULL_ISLAND:
        return PositionFault.NO_FIX
    return Position(latitude, longitude)


def _degrees(value: Value | Sequence[Number] | None) -> float | None:
    """Convert degrees, minutes and seconds to degrees; None if one is not a number from 0 on, or minutes exceed 60."""
    if not isinstance(value, tuple) or len(value) > MAX_PARTS:
        return None
    total = 0.0
    for at, part in reversed(list(enumerate(value))):
        if part is None or not isfinite(part) or part < 0 or (at and part > SIXTY):
            return None
        total = total / SIXTY + part
    return total


def _sign(reference: Value | None, letters: str) -> int | None:
    """Return 1 or -1 by the first letter; None if it is neither: a hemisphere is never guessed."""
    letter = reference[:1].upper() if isinstance(reference, str) else ""
    return {letters[0]: 1, letters[1]: -1}.get(letter)
