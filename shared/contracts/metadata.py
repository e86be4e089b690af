"""Metadata that clients give to jobs and images: JSON that can be stored, with a limit on its stored size.

``jsonb`` keeps numbers as ``numeric`` and writes them without an exponent: the five bytes of ``1e308`` are stored as
309 digits, and a page of such answers is forty times as large as the request. So the limit is on the stored form.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

IMAGE_METADATA_BYTES = 4 * 1024
JOB_METADATA_BYTES = 16 * 1024
# An escaped U+0000 in JSON: after an even number of backslashes, because an odd one escapes the next.
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# Every program writes numbers of up to so many digits in full; beyond, JavaScript and Python write an exponent.
MAX_WRITTEN_DIGITS = 21


def bounded_json(limit: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Make a validator of JSON objects that can be stored, with at most ``limit`` bytes as PostgreSQL writes them."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        size = stored_size(value)
        if size > limit:
            msg = f"must have at most {limit} bytes as JSON, has {size}"
            raise ValueError(msg)
        return value

    return check


def stored_size(value: dict[str, Any]) -> int:
    """Count the bytes of a JSON object as ``jsonb`` writes it, in UTF-8.

    Raises:
        ValueError: it cannot be stored.
    """
    try:
        encoded = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # NaN, infinity, half of a surrogate pair, or too deep
        msg = "must be JSON: finite numbers, whole characters, and not nested too deep"
        raise ValueError(msg) from error
    if ESCAPED_NUL.search(encoded):
        msg = "must not contain the character U+0000"
        raise ValueError(msg)
    return len(encoded) + sum(_digits_more(number) for number in _floats(value))


def _floats(value: object) -> Iterator[float]:
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, float):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _digits_more(number: float) -> int:
    """Count the additional digits of a number without its exponent."""
    short = repr(number)
    return len(f"{Decimal(short):f}") - len(short) if "e" in short else 0


def _integer(digits: str) -> int | float:
    """Read an integer; return the very same number as a float if that has fewer digits, as 1e+308."""
    if len(digits) > MAX_WRITTEN_DIGITS:
        short = float(digits)
        if math.isfinite(short) and Decimal(repr(short)) == Decimal(digits):
            return short
    return int(digits)


_STORED = json.JSONDecoder(parse_int=_integer)


def read_stored(text: str | bytes) -> Any:  # noqa: ANN401  # JSON
    """Read JSON as ``jsonb`` writes it; long numbers become as short as they were sent."""
    return _STORED.decode(text if isinstance(text, str) else text.decode())
