"""Values from outside, made storable: PostgreSQL returns them as they were written.

Its types and Python's differ at their ends: ``timestamptz`` has years before 1 and after 9999, ``datetime`` has not, so
that such a moment is stored and can never be read; ``real`` refuses a number below 1.2e-38 instead of rounding it;
``text`` and ``jsonb`` refuse U+0000 and half of a surrogate pair (PostgreSQL 15, "Data Types"). Every value of a
request, a sidecar, a file or a model passes one of these functions before it is a row, JSON that of ``metadata.py``.
"""

import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

NAME_LENGTH = 512
# Maximum length of a fault's description: a sentence, and not a file of megabytes.
DETAIL_LENGTH = 2000
# Moments that lie so far away, behind or before us, can still be stored and read.
MAX_DAYS = 36_500
MAX_HOURS = 24 * MAX_DAYS
REPLACEMENT = "\ufffd"
_SINGLE = struct.Struct("<f")
_SMALLEST_NORMAL = 2.0**-126  # of binary32; what is smaller but not 0 is refused by some servers
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

T = TypeVar("T")


def moment(value: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        ValueError: it has no zone, or in UTC it lies outside of the years 1 to 9999.
    """
    if value.tzinfo is None:
        msg = "must have a time zone"
        raise ValueError(msg)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        msg = "must lie in the years 1 to 9999 in UTC"
        raise ValueError(msg) from None


def double(value: float) -> float:
    """Check that a number is finite, for ``double precision``.

    Raises:
        ValueError: it is not finite.
    """
    if not math.isfinite(value):
        msg = "must be a finite number"
        raise ValueError(msg)
    return value


def real(value: float) -> float:
    """Round to the nearest number of ``real`` (IEEE 754 binary32); to 0 below its smallest normal one.

    Raises:
        ValueError: it is not finite, or larger than 3.4e38.
    """
    try:
        (rounded,) = _SINGLE.unpack(_SINGLE.pack(double(value)))
    except OverflowError:
        msg = "must be at most 3.4e38"
        raise ValueError(msg) from None
    return float(rounded) if abs(rounded) >= _SMALLEST_NORMAL else 0.0


def text(value: str) -> str:
    """Check that a text can be stored.

    Raises:
        ValueError: it contains U+0000, or half of a surrogate pair.
    """
    match = _NOT_STORABLE.search(value)
    if match is not None:
        msg = f"must not contain the character U+{ord(match.group()):04X}"
        raise ValueError(msg)
    return value


def words(value: str, max_length: int = DETAIL_LENGTH) -> str:
    """Make a text of a program or a file storable: U+FFFD for refused characters, and "…" at the end if it is cut."""
    cleaned = _NOT_STORABLE.sub(REPLACEMENT, value)
    return cleaned if len(cleaned) <= max_length else f"{cleaned[: max_length - 1]}…"


def or_none(kind: Callable[[T], T], value: T | None) -> T | None:
    """Return a file's value if ``kind`` accepts it, else None: nonsense of a camera is no reason to refuse a file."""
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        return None


# The same as kinds of fields.
Text = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(text)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90), AfterValidator(double)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180), AfterValidator(double)]
Altitude = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(double)]
MAX_HEIGHT_ABOVE_GROUND = 10_000.0
HeightAboveGround = Annotated[float, Field(strict=True, gt=0, le=MAX_HEIGHT_ABOVE_GROUND), AfterValidator(real)]
Heading = Annotated[float, Field(strict=True, ge=0, le=360, allow_inf_nan=False), AfterValidator(real)]
