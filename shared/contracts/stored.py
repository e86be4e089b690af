"""Values from outside, as PostgreSQL keeps them and gives them back.

Its types and Python's differ at their ends: ``timestamptz`` has years before 1 and after 9999, which ``datetime`` has
not, so such a moment is stored and can never be read; ``real`` refuses a number below 1.2e-38 instead of rounding it;
``text`` and ``jsonb`` refuse U+0000 and half of a surrogate pair (PostgreSQL 15, "Data Types"). Whatever a request, a
sidecar, a file or a model says becomes one of these before it is a row; ``metadata.py`` does the same for JSON.
"""

import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

NAME_LENGTH = 512
# What a program says of a fault, at most: the sentence, and nothing of a file of megabytes.
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
    """Give the same moment in UTC.

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
        ValueError: it is none.
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
    found = _NOT_STORABLE.search(value)
    if found is not None:
        msg = f"must not contain the character U+{ord(found.group()):04X}"
        raise ValueError(msg)
    return value


def words(value: str, most: int = DETAIL_LENGTH) -> str:
    """Make words of a program or a file storable: U+FFFD for what is not, and "…" at the end of what is too long."""
    cleaned = _NOT_STORABLE.sub(REPLACEMENT, value)
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"


def or_none(kind: Callable[[T], T], value: T | None) -> T | None:
    """Take what a file says of itself where ``kind`` does: a camera that writes nonsense is no reason to refuse it."""
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
Heading = Annotated[float, Field(strict=True, ge=0, le=360, allow_inf_nan=False), AfterValidator(real)]
