"""The finding of a check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from api.admin.doctor.subject import Subject


class Level(StrEnum):
    """The level of a finding. ``FAIL`` makes the exit status 1: something does not work, or is open to everybody."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the check, what it found, and what to do about it."""

    level: Level
    check: str
    said: str
    do: str | None = None


Check = Callable[[Subject], Iterable[Finding]]


def ok(check: str, said: str) -> Finding:
    """Report that all is well."""
    return Finding(Level.OK, check, said)


def warn(check: str, said: str, do: str) -> Finding:
    """Report something that works, and will fail one day."""
    return Finding(Level.WARN, check, said, do)


def fail(check: str, said: str, do: str) -> Finding:
    """Report something that does not work."""
    return Finding(Level.FAIL, check, said, do)
