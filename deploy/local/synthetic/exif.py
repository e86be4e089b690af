"""Metadata as a drone writes it: camera, time, and a position on a serpentine grid over a field.

EXIF 2.32; the numbers are tags of its table 4 and 15.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, radians

from PIL import ExifTags, Image

FIELD = (41.6532, 0.6187)  # latitude and longitude of the first photo, in degrees (WGS84)
FIELD_ALTITUDE = 214.0  # metres above sea level
FLIGHT_HEIGHT = 12.0  # metres above the field
SPACING = 8.0  # metres between two photos and between two rows
ROW_PHOTOS = 10
SECONDS_BETWEEN = 3
TAKE_OFF = datetime(2026, 6, 3, 8, 30, tzinfo=UTC)
METRES_PER_DEGREE = 111_320.0
Dms = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Position:
    """WGS84 in degrees, altitude in metres above sea level."""

    latitude: float
    longitude: float
    altitude: float


def position(number: int) -> Position:
    """Return the place of photo ``number`` (from 0): rows to the east, then back, each row farther north."""
    row, column = divmod(number, ROW_PHOTOS)
    if row % 2:
        column = ROW_PHOTOS - 1 - column
    latitude = FIELD[0] + row * SPACING / METRES_PER_DEGREE
    longitude = FIELD[1] + column * SPACING / (METRES_PER_DEGREE * cos(radians(FIELD[0])))
    return Position(latitude, longitude, FIELD_ALTITUDE + FLIGHT_HEIGHT)


def flight_exif(number: int) -> Image.Exif:
    """Make the EXIF of photo ``number`` (from 0) of the flight, ready for ``Image.save(exif=...)``."""
    return exif_of(position(number), TAKE_OFF + timedelta(seconds=SECONDS_BETWEEN * number))


def exif_of(place: Position | None, taken: datetime, *, heading: float | None = None) -> Image.Exif:
    """Make the EXIF of a photo, ready for ``Image.save(exif=...)``.

    Args:
        place: None writes no GPS block.
        taken: with its zone; the camera's clock shows that zone, the GPS block UTC.
        heading: degrees clockwise from true north.
    """
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phytobatch"
    exif[ExifTags.Base.Model] = "Synthetic Leaf"
    exif[ExifTags.Base.Software] = "deploy.local.synthetic"
    exif[ExifTags.Base.ImageDescription] = "Synthetic picture, not a photograph"
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.DateTime] = stamp
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: stamp, ExifTags.Base.OffsetTimeOriginal: _offset(taken)}
    )
    if place is not None:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_gps(place, taken.astimezone(UTC)) | _direction(heading))
    return exif


def _offset(taken: datetime) -> str:
    """Format the offset of the zone as ``+02:00``."""
    digits = taken.strftime("%z")
    return f"{digits[:3]}:{digits[3:5]}"


def _direction(heading: float | None) -> dict[int, object]:
    if heading is None:
        return {}
    return {ExifTags.GPS.GPSImgDirectionRef: "T", ExifTags.GPS.GPSImgDirection: heading}


def _gps(place: Position, taken: datetime) -> dict[int, object]:
    gps = ExifTags.GPS
    return {
        gps.GPSVersionID: b"\x02\x03\x00\x00",
        gps.GPSLatitudeRef: "N" if place.latitude >= 0 else "S",
        gps.GPSLatitude: _dms(place.latitude),
        gps.GPSLongitudeRef: "E" if place.longitude >= 0 else "W",
        gps.GPSLongitude: _dms(place.longitude),
        gps.GPSAltitudeRef: b"\x00",
        gps.GPSAltitude: place.altitude,
        gps.GPSDateStamp: taken.strftime("%Y:%m:%d"),
        gps.GPSTimeStamp: (float(taken.hour), float(taken.minute), float(taken.second)),
        gps.GPSMapDatum: "WGS-84",
    }


def _dms(degrees: float) -> Dms:
    """Convert degrees to degrees, minutes and seconds, to a hundred-thousandth of a second (under a millimetre)."""
    whole, rest = divmod(abs(degrees) * 60, 60)
    minutes, seconds = divmod(rest * 60, 60)
    return float(whole), float(minutes), round(seconds, 5)
