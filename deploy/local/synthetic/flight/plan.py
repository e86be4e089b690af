"""The plan of a flight: place, time, row, bed and kind of leaf of each photo."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import ceil, cos, radians, sqrt
from string import ascii_uppercase

import numpy as np

from deploy.local.synthetic.exif import FIELD, FIELD_ALTITUDE, FLIGHT_HEIGHT, METRES_PER_DEGREE, SPACING, Position
from deploy.local.synthetic.flight.disease import kind_at
from deploy.local.synthetic.scene import Kind

LONGER_THAN_WIDE = 1.25  # photos of a line to lines of the field
ROWS_PER_BED = 8
PHOTOS_PER_FLIGHT = 1000  # then the batteries are empty, and the next flight is on the next day
SECONDS_BETWEEN = 2
TAKE_OFF = datetime(2026, 6, 3, 10, 30, tzinfo=timezone(timedelta(hours=2)))
SLOPE = 0.01  # metres that the field rises for each metre to the north
WOBBLE = 0.3  # metres and degrees; the standard deviation of place and heading
EAST, WEST = 90.0, 270.0  # headings


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo. ``heading`` in degrees clockwise from true north, ``height`` in metres above the take-off."""

    number: int
    place: Position
    height: float
    heading: float
    taken: datetime
    row: int
    bed: str
    flight: str
    kind: Kind

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"flight_{self.number + 1:05d}.jpg"


def shots(images: int, *, seed: int = 0) -> Iterator[Shot]:
    """Yield the photos in flight order: rows to the east and back, each farther north; the same for the same seed."""
    rng = np.random.default_rng([seed, images])
    columns = max(1, round(sqrt(images * LONGER_THAN_WIDE)))
    rows = ceil(images / columns)
    for number in range(images):
        row, column = divmod(number, columns)
        column = columns - 1 - column if row % 2 else column
        east, north = (np.array((column, row)) * SPACING + rng.normal(0, WOBBLE, 2)).tolist()
        flight, photo = divmod(number, PHOTOS_PER_FLIGHT)
        yield Shot(
            number=number,
            place=_position(east, north),
            height=round(FLIGHT_HEIGHT + rng.normal(0, WOBBLE) / 2, 2),
            heading=round(float((WEST if row % 2 else EAST) + rng.normal(0, WOBBLE)), 1),
            taken=TAKE_OFF + timedelta(days=flight, seconds=SECONDS_BETWEEN * photo),
            row=row + 1,
            bed=bed_name(row // ROWS_PER_BED),
            flight=f"flight-{flight + 1}",
            kind=kind_at(column / columns, row / rows, rng),
        )


def bed_name(number: int) -> str:
    """Name a bed: A to Z, then AA, AB and so on."""
    rest, letter = divmod(number, len(ascii_uppercase))
    return (bed_name(rest - 1) if rest else "") + ascii_uppercase[letter]


def _position(east: float, north: float) -> Position:
    """Convert metres from the field's corner to degrees."""
    return Position(
        latitude=FIELD[0] + north / METRES_PER_DEGREE,
        longitude=FIELD[1] + east / (METRES_PER_DEGREE * cos(radians(FIELD[0]))),
        altitude=round(FIELD_ALTITUDE + SLOPE * north + FLIGHT_HEIGHT, 2),
    )
