"""What a check found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from api.admin.doctor.subject import Subject


class Level(StrEnum):
    """``FAIL`` makes the exit status 1: something does not work, or is open to everybody."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what is so, and what to do about it where it is not well."""

    level: Level
    check: str
    said: str
    do: str | None = None


Check = Callable[[Subject], Iterable[Finding]]


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, check, said)


def warn(check: str, said: str, do: str) -> Finding:
    """It works, but will hurt somebody one day."""
    return Finding(Level.WARN, check, said, do)


def fail(check: str, said: str, do: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAIL, check, said, do)
