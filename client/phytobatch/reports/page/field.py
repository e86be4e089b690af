"""The field: where the images of a job lie together, and which of them lie far from there.

The middle is a median, so that a position that is wrong (latitude and longitude exchanged, a hemisphere forgotten,
0, 0) neither moves it nor decides how large the map is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

EARTH_RADIUS = 6_371_008.8  # metres, the mean of the ellipsoid (IUGG)
TURN, HALF_TURN = 360.0, 180.0
HIGHEST_LATITUDE = 89.0  # of a corner of a grid
# An image is far where it is further from the middle than this, and than so many times the median of all distances.
FAR_METRES = 20_000.0
FAR_TIMES = 10.0
NULL_ISLAND = 0.01  # degrees


@dataclass(frozen=True)
class Point:
    """An image on the map; degrees."""

    longitude: float
    latitude: float
    name: str
    label: str | None


class Suspicion(str, Enum):
    """Likely causes of a position far from the others."""

    ZERO = "far_zero"
    EXCHANGED = "far_exchanged"
    HEMISPHERE = "far_hemisphere"


@dataclass(frozen=True)
class FarPoint:
    """An image far from the others: its distance from their middle in metres, and the likely cause."""

    name: str
    metres: float
    suspicion: Suspicion | None


@dataclass(frozen=True)
class Field:
    """The middle of the images in degrees, their reach from it in metres, and the images within and beyond that."""

    latitude: float
    longitude: float
    reach: float
    near: Sequence[Point]
    far: Sequence[FarPoint]

    def metres_to(self, longitude: float, latitude: float) -> float:
        """Return the distance of a place from the middle."""
        return _metres(self.longitude, self.latitude, longitude, latitude)

    @property
    def corner(self) -> tuple[float, float] | None:
        """Longitude and latitude of the south-west corner of the near images; None if a grid cannot begin there."""
        south = min(point.latitude for point in self.near)
        west = min(nearest_turn(self.longitude, point.longitude) for point in self.near)
        return None if abs(south) > HIGHEST_LATITUDE else (nearest_turn(0.0, west), south)


def field_of(points: Sequence[Point]) -> Field | None:
    """Return the field of these images; None if there are none."""
    if not points:
        return None
    latitude = median(point.latitude for point in points)
    longitude = nearest_turn(0.0, median(unrolled([point.longitude for point in points])))
    metres = [_metres(longitude, latitude, point.longitude, point.latitude) for point in points]
    reach = max(FAR_METRES, FAR_TIMES * median(metres))
    middle = (longitude, latitude)
    return Field(
        latitude,
        longitude,
        reach,
        near=[point for point, far in zip(points, metres) if far <= reach],
        far=[
            FarPoint(point.name, far, _suspicion(point, middle, reach))
            for point, far in zip(points, metres)
            if far > reach
        ],
    )


def unrolled(longitudes: Sequence[float]) -> list[float]:
    """Return the same longitudes without the break at the 180th meridian: up to 360 degrees from the westernmost on.

    West is where the widest empty stretch ends.
    """
    around = sorted(set(longitudes))
    gaps = [(around[0] + TURN - around[-1], around[0])]
    gaps += [(after - before, after) for before, after in zip(around, around[1:])]
    _, west = max(gaps, key=lambda gap: gap[0])
    return [west + (longitude - west) % TURN for longitude in longitudes]


def _suspicion(point: Point, middle: tuple[float, float], reach: float) -> Suspicion | None:
    if abs(point.latitude) < NULL_ISLAND and abs(point.longitude) < NULL_ISLAND:
        return Suspicion.ZERO
    if abs(point.longitude) <= HALF_TURN / 2 and _metres(*middle, point.latitude, point.longitude) <= reach:
        return Suspicion.EXCHANGED
    mirrored = ((-1, 1), (1, -1), (-1, -1))
    if any(_metres(*middle, x * point.longitude, y * point.latitude) <= reach for x, y in mirrored):
        return Suspicion.HEMISPHERE
    return None


def nearest_turn(middle: float, longitude: float) -> float:
    """Return the same longitude, at most half a turn from ``middle``."""
    return middle + (longitude - middle + HALF_TURN) % TURN - HALF_TURN


def _metres(longitude: float, latitude: float, other_longitude: float, other_latitude: float) -> float:
    """Return the length of the great circle between two places (haversine)."""
    north = math.radians(other_latitude - latitude)
    east = math.radians(other_longitude - longitude)
    scale = math.cos(math.radians(latitude)) * math.cos(math.radians(other_latitude))
    chord = math.sin(north / 2) ** 2 + scale * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(chord)))
