"""Numbers and names in a form for people."""

from datetime import datetime

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60


def in_bytes(count: float) -> str:
    """Bytes in decimal units: ``1.2 GB``."""
    unit = 0
    while count >= _STEP and unit < len(_BYTE_UNITS) - 1:
        count /= _STEP
        unit += 1
    return f"{count:.0f} {_BYTE_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_BYTE_UNITS[unit]}"


def in_time(seconds: float) -> str:
    """A duration: ``40 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _SECONDS_PER_MINUTE)
    if minutes < _MINUTES_PER_HOUR:
        return f"{minutes} min"
    return f"{minutes // _MINUTES_PER_HOUR} h {minutes % _MINUTES_PER_HOUR:02} min"


def plural(count: int, noun: str) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def moment(time: datetime | None) -> str:
    """A time in the zone of this machine, to the second."""
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def shown(text: str) -> str:
    """Text without characters that would steer a terminal: a file may have any name."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
