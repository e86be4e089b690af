"""A line of a sidecar, and the conversion of its cells to values."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts import stored
from shared.errors import InvalidRequest

TURN = 360.0


class SidecarInvalid(InvalidRequest):
    """The file cannot be used; the sentence names the line and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="sidecar-invalid")


@dataclass(frozen=True, slots=True)
class SidecarRow:
    """The values of an image in one line. ``line`` counts from 1; units as in ``shared.geography.place.Place``.

    ``height_above_ground`` in metres.
    """

    line: int
    name: str
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    height_above_ground: float | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def number(text: str, line: int, what: str) -> float:
    """Read a finite number.

    Raises:
        SidecarInvalid: it is not a finite number.
    """
    try:
        return stored.double(float(text))
    except ValueError:
        raise SidecarInvalid(f"line {line}: {what} is {text[:40]!r}, which is no number") from None


def degrees(text: str, line: int, what: str, limit: float) -> float:
    """Read a number from ``-limit`` to ``limit``.

    Raises:
        SidecarInvalid: it is not such a number.
    """
    value = number(text, line, what)
    if abs(value) > limit:
        raise SidecarInvalid(f"line {line}: {what} {text} is not between -{limit:g} and {limit:g} degrees")
    return value


def heading(text: str, line: int) -> float:
    """Read degrees clockwise from north, 0 to 360, from a yaw of -360 to 360.

    Raises:
        SidecarInvalid: it is not such a yaw.
    """
    return stored.real(degrees(text, line, "heading", TURN) % TURN)


def height_above_ground(text: str, line: int) -> float:
    """Read metres above the ground, more than 0.

    Raises:
        SidecarInvalid: it is no such number.
    """
    value = number(text, line, "height_above_ground")
    if not 0 < value <= stored.MAX_HEIGHT_ABOVE_GROUND:
        raise SidecarInvalid(
            f"line {line}: height_above_ground {text[:40]} is not between 0 and {stored.MAX_HEIGHT_ABOVE_GROUND:g} "
            "metres; leave the cell empty where it is unknown"
        )
    return stored.real(value)


def moment(text: str, line: int) -> datetime:
    """Read a time into UTC.

    Raises:
        SidecarInvalid: it is not a time, has no zone, or cannot be stored.
    """
    example = "2026-06-03T10:30:00+02:00"
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise SidecarInvalid(f"line {line}: captured_at is {text[:40]!r}; write it as {example}") from None
    if value.tzinfo is None:
        raise SidecarInvalid(f"line {line}: captured_at is {text!r}, without a time zone; write it as {example}")
    try:
        return stored.moment(value)
    except ValueError as error:
        raise SidecarInvalid(f"line {line}: captured_at is {text[:40]!r}; it {error}") from None
