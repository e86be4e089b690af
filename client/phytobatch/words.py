"""Numbers and names in a form for people."""

from __future__ import annotations

from datetime import datetime

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60
_FEW_SECONDS = 10
_PER = (("s", 1), ("min", 60), ("h", 3600))
_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def in_bytes(count: float) -> str:
    """Write bytes in decimal units: ``1.2 GB``."""
    unit = 0
    while count >= _STEP and unit < len(_BYTE_UNITS) - 1:
        count /= _STEP
        unit += 1
    return f"{count:.0f} {_BYTE_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_BYTE_UNITS[unit]}"


def in_time(seconds: float) -> str:
    """Write a duration: ``40 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < _SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _SECONDS_PER_MINUTE)
    if minutes < _MINUTES_PER_HOUR:
        return f"{minutes} min"
    return f"{minutes // _MINUTES_PER_HOUR} h {minutes % _MINUTES_PER_HOUR:02} min"


def time_left(seconds: float) -> str:
    """Write an estimate, no more exact than it is: ``about 3 min left``, ``a few seconds left``."""
    if seconds < _FEW_SECONDS:
        return "a few seconds left"
    coarse = seconds if seconds >= _SECONDS_PER_MINUTE else _FEW_SECONDS * round(seconds / _FEW_SECONDS)
    return f"about {in_time(coarse)} left"


def clock(seconds: float) -> str:
    """Write the time that has passed as a stopwatch shows it: ``0:07``, ``12:40``, ``1:02:03``."""
    minutes, second = divmod(int(seconds), _SECONDS_PER_MINUTE)
    hours, minute = divmod(minutes, _MINUTES_PER_HOUR)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def speed(per_second: float, things: str = "images") -> str:
    """Write ``12.4 images/s``; slow ones by the minute or the hour: ``3.0 tiles/min``."""
    unit, factor = next((per for per in _PER if per_second * per[1] >= 1), _PER[-1])
    return f"{per_second * factor:.1f} {things}/{unit}"


def place_in_queue(position: int) -> str:
    """Write ``next in the queue`` for 1, then ``2nd in the queue``."""
    return "next in the queue" if position <= 1 else f"{ordinal(position)} in the queue"


def ordinal(number: int) -> str:
    """Write ``1st``, ``2nd``, ``11th``, ``1,003rd``."""
    teens = number % 100 in _TEENS
    return f"{number:,}{'th' if teens else _ENDINGS.get(number % 10, 'th')}"


def plural(count: int, noun: str) -> str:
    """Write ``1 image``, ``2,000 images``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def moment(time: datetime | None) -> str:
    """Write a time in the zone of this machine, to the second."""
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def shown(text: str) -> str:
    """Return text without characters that would steer a terminal: a file may have any name."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
