"""Moments and spans of time, as operators write and read them."""

import argparse
import re
from datetime import UTC, datetime, timedelta

SPAN = re.compile(r"(\d+)\s*([smhd])")
SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def span(text: str) -> timedelta:
    """Read a span: ``90s``, ``10m``, ``2h`` or ``7d``.

    Raises:
        ArgumentTypeError: it is none of these; argparse shows the sentence.
    """
    match = SPAN.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time; write it as 90s, 10m, 2h or 7d")
    try:
        return timedelta(seconds=int(match[1]) * SECONDS[match[2]])
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{text!r} is too long") from None


def moment(text: str) -> datetime:
    """Read ``2026-11-26T07:00:00Z``, or a span: ``2h`` is two hours ago. Without a zone it is UTC.

    Raises:
        ArgumentTypeError: it is neither; argparse shows the sentence.
    """
    try:
        if SPAN.fullmatch(text.strip()):
            return datetime.now(UTC) - span(text)
        parsed = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no moment; write it as 2026-11-26T07:00:00Z, or as 2h for two hours ago"
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def short(time: timedelta | None) -> str | None:
    """Write a span in its two largest units, as ``2h 5m``; less than a second is ``0s``."""
    if time is None:
        return None
    rest = max(int(time.total_seconds()), 0)
    parts: list[str] = []
    for unit, length in SECONDS.items():
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join([part for part in parts[:2] if not part.startswith("0")]) or "0s"
