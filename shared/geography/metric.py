"""Metres around an origin, on the WGS 84 ellipsoid: for fields, where a degree means nothing.

North of the origin is the length of the meridian between the two latitudes; east of it is the length of the parallel of
the point. So a square of the grid has its edge in metres at every latitude, exactly along its lower side. The series of
the meridian arc is Helmert's (Karney, "On auxiliary latitudes", 2023, gives it to higher order); its error is below a
micrometre.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

EQUATORIAL_RADIUS = 6_378_137.0  # metres, WGS 84
FLATTENING = 1 / 298.257223563
ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)
_N = FLATTENING / (2 - FLATTENING)
_RADIUS = EQUATORIAL_RADIUS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_FORWARD = (
    -3 / 2 * _N + 9 / 16 * _N**3,
    15 / 16 * _N**2 - 15 / 32 * _N**4,
    -35 / 48 * _N**3,
    315 / 512 * _N**4,
)
_BACKWARD = (
    3 / 2 * _N - 27 / 32 * _N**3,
    21 / 16 * _N**2 - 55 / 32 * _N**4,
    151 / 96 * _N**3,
    1097 / 512 * _N**4,
)
HALF_TURN = 180.0


def meridian_arc(latitude: float) -> float:
    """Return the metres from the equator along a meridian; ``latitude`` in degrees."""
    phi = math.radians(latitude)
    return _RADIUS * (phi + _series(_FORWARD, phi))


def latitude_of_arc(metres: float) -> float:
    """Return the latitude in degrees: the inverse of :func:`meridian_arc`."""
    mu = metres / _RADIUS
    return math.degrees(mu + _series(_BACKWARD, mu))


def metres_per_degree_east(latitude: float) -> float:
    """Return the length of one degree of the parallel of this latitude."""
    phi = math.radians(latitude)
    across = EQUATORIAL_RADIUS / math.sqrt(1 - ECCENTRICITY_SQUARED * math.sin(phi) ** 2)
    return math.radians(across * math.cos(phi))


def _series(coefficients: tuple[float, ...], angle: float) -> float:
    return sum(c * math.sin(2 * k * angle) for k, c in enumerate(coefficients, start=1))


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a grid; degrees, WGS 84."""

    latitude: float
    longitude: float

    def north(self, latitude: float) -> float:
        """Return the metres north of the origin."""
        return meridian_arc(latitude) - meridian_arc(self.latitude)

    def east(self, longitude: float, *, on: float) -> float:
        """Return the metres east of the origin along the parallel ``on``; over the 180th meridian too."""
        return wrapped(longitude - self.longitude) * metres_per_degree_east(on)

    def latitude_at(self, north: float) -> float:
        """Return the latitude in degrees: the inverse of :meth:`north`."""
        return latitude_of_arc(meridian_arc(self.latitude) + north)

    def longitude_at(self, east: float, *, on: float) -> float:
        """Return the longitude, -180 to 180 degrees: the inverse of :meth:`east`."""
        return wrapped(self.longitude + east / metres_per_degree_east(on))


def wrapped(degrees: float) -> float:
    """Return the same angle between -180 (included) and 180."""
    return (degrees + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN


def span_of(longitudes: Iterable[float]) -> tuple[float, float]:
    """Find west and east of the shortest stretch that holds all of these longitudes, at least one.

    It begins where the widest empty stretch ends. Over the 180th meridian west is greater than east, as a bounding box
    writes it (RFC 7946, section 5.2).
    """
    around = sorted(set(longitudes))
    gaps = [(around[0] + 2 * HALF_TURN - around[-1], around[0], around[-1])]
    gaps += [(after - before, after, before) for before, after in itertools.pairwise(around)]
    _, west, east = max(gaps, key=lambda gap: gap[0])
    return west, east


def corner(positions: list[tuple[float, float]]) -> Origin:
    """Find the south-west corner of positions (latitude, longitude), also over the 180th meridian."""
    west, _ = span_of(longitude for _, longitude in positions)
    return Origin(min(latitude for latitude, _ in positions), west)
