"""The pinned versions with known problems, by advisory data in a folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import Version

from deploy.vulnerabilities.accepted import ACCEPTED
from deploy.vulnerabilities.advisories import Advisory
from deploy.vulnerabilities.locks import Pin

# Folder with advisories of OSV, unpacked.
FOLDER_VARIABLE = "PHYTOBATCH_ADVISORIES"


@dataclass(frozen=True, slots=True)
class Finding:
    """A pinned version with a known problem, and the locks that pin it."""

    package: str
    version: Version
    advisory: Advisory
    fixed_in: Version | None
    locks: tuple[str, ...]

    def __str__(self) -> str:
        ids = ", ".join((self.advisory.id, *self.advisory.aliases))
        cure = f"fixed in {self.fixed_in}" if self.fixed_in else "no fix yet"
        return f"{self.package} {self.version} ({', '.join(self.locks)}): {ids}: {self.advisory.summary} ({cure})"


def find(locks: Mapping[str, Iterable[Pin]], advisories: Iterable[Advisory]) -> list[Finding]:
    """Find every pinned version that an advisory affects, without accepted ones.

    Args:
        locks: the pins of each lock, by its name.
        advisories: of at least the pinned packages.
    """
    pinned: dict[tuple[str, Version], list[str]] = {}
    for lock, pins in locks.items():
        for pin in pins:
            pinned.setdefault((pin.name, pin.version), []).append(lock)
    by_package: dict[str, list[Advisory]] = {}
    for advisory in advisories:
        by_package.setdefault(advisory.package, []).append(advisory)
    return [
        Finding(name, version, advisory, advisory.fixed_in(version), tuple(where))
        for (name, version), where in sorted(pinned.items())
        for advisory in by_package.get(name, [])
        if advisory.affects(version) and not ACCEPTED.keys() & {advisory.id, *advisory.aliases}
    ]
