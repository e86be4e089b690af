"""The place of an image: the client's values before the sidecar's, and those before the file's.

Client and sidecar write into ``images``, the worker writes the file's values into ``results``. Latitude and longitude
come from one source, never one from each; altitude, heading and time from the first source that has them.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, literal

from shared.contracts.geography import PositionFault, PositionSource
from shared.db.models import Image, Result

_CLIENT_HAS_ONE = and_(Image.latitude.is_not(None), Image.longitude.is_not(None))
_FILE_HAS_ONE = and_(Result.latitude.is_not(None), Result.longitude.is_not(None))


def latitude() -> ColumnElement[float | None]:
    """Select the degrees north, WGS 84."""
    return case((_CLIENT_HAS_ONE, Image.latitude), else_=Result.latitude)


def longitude() -> ColumnElement[float | None]:
    """Select the degrees east, WGS 84."""
    return case((_CLIENT_HAS_ONE, Image.longitude), else_=Result.longitude)


def captured_at() -> ColumnElement[datetime | None]:
    """Select the moment at which the image was taken."""
    return func.coalesce(Image.captured_at, Result.captured_at)


def source() -> ColumnElement[str | None]:
    """Select the source of the position (``PositionSource``); NULL if there is none."""
    return case(
        (_CLIENT_HAS_ONE, func.coalesce(Image.position_source, literal(PositionSource.CLIENT.value))),
        (_FILE_HAS_ONE, literal(PositionSource.FILE.value)),
    )


def fault() -> ColumnElement[str | None]:
    """Select the reason why there is no position (``PositionFault``); NULL if there is one."""
    return case(
        (func.num_nonnulls(latitude(), longitude()) == 2, None),  # noqa: PLR2004  # both
        else_=func.coalesce(Result.position_fault, literal(PositionFault.NOT_READ.value)),
    )


def place_columns() -> tuple[ColumnElement[Any], ...]:
    """List the columns for :meth:`Place.of`, labeled ``place_*``, of a join of ``images`` and ``results``."""
    return (
        latitude().label("place_latitude"),
        longitude().label("place_longitude"),
        func.coalesce(Image.altitude, Result.altitude).label("place_altitude"),
        func.coalesce(Image.heading, Result.heading).label("place_heading"),
        captured_at().label("place_captured_at"),
        source().label("place_source"),
        fault().label("place_fault"),
    )


# Looking a value up is ten times as fast as calling its enumeration, and a page has a thousand rows.
_SOURCES = {source.value: source for source in PositionSource}
_FAULTS = {fault.value: fault for fault in PositionFault}


class Place(NamedTuple):
    """The place and time of an image.

    ``latitude`` and ``longitude`` in degrees (WGS 84), both or neither; ``altitude`` in metres, as the source counts it
    (EXIF: above sea level); ``heading`` in degrees clockwise from true north, 0 to 360.
    """

    latitude: float | None
    longitude: float | None
    altitude: float | None
    heading: float | None
    captured_at: datetime | None
    source: PositionSource | None
    fault: PositionFault | None

    @classmethod
    def of(  # a column each
        cls,
        latitude: float | None,
        longitude: float | None,
        altitude: float | None,
        heading: float | None,
        captured_at: datetime | None,
        source: str | None,
        fault: str | None,
    ) -> "Place":
        """Make a place from the values of :func:`place_columns`, in their order."""
        return cls(
            latitude,
            longitude,
            altitude,
            heading,
            captured_at,
            None if source is None else _SOURCES[source],
            None if fault is None else _FAULTS[fault],
        )
