"""What is read of a receiver's answer: little, and in good time."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from aiohttp import StreamReader

MAX_BODY = 64 * 1024
EXCERPT = 1024
MAX_RETRY_AFTER = 86_400.0


async def read_start(content: StreamReader, into: bytearray) -> None:
    """Read a body to its end, but at most ``MAX_BODY`` bytes; they are in ``into`` also when this is cut short."""
    while len(into) < MAX_BODY:
        piece = await content.read(MAX_BODY - len(into))
        if not piece:
            return
        into += piece


def excerpt(body: bytes | bytearray) -> str | None:
    """The beginning of a body as text that Postgres can store; None for an empty one."""
    return body[:EXCERPT].decode(errors="replace").replace("\0", "") or None


def retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait, from a ``Retry-After`` header: a number or a date. At most a day; nonsense is None.

    Args:
        value: the header (RFC 9110, 10.2.3).
        now: Unix seconds.
    """
    if value is None:
        return None
    text = value.strip()
    seconds = float(text) if text.isascii() and text.isdecimal() else _until(text, now)
    if seconds is None or seconds < 0:
        return None
    return min(seconds, MAX_RETRY_AFTER)


def _until(text: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone is meant in GMT, the only one that HTTP knows.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None
