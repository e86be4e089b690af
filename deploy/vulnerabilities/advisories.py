"""Advisories in the OSV format (https://ossf.github.io/osv-schema/), as the folder of a download has them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from deploy.vulnerabilities.errors import AdvisoryUnreadable

ECOSYSTEM = "PyPI"
# Commits say nothing about a release.
VERSIONED = ("ECOSYSTEM", "SEMVER")
BEFORE_EVERYTHING = "0"


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from ``introduced`` (``None``: the first one) to before ``fixed``, or to ``last`` and with it."""

    introduced: Version | None
    fixed: Version | None = None
    last: Version | None = None

    def __contains__(self, version: Version) -> bool:
        after = self.introduced is None or version >= self.introduced
        before = (self.fixed is None or version < self.fixed) and (self.last is None or version <= self.last)
        return after and before


@dataclass(frozen=True, slots=True)
class Advisory:
    """The part of an advisory about one package."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    package: str
    ranges: tuple[Range, ...]
    versions: frozenset[str]

    def affects(self, version: Version) -> bool:
        """Return True if this version has the problem: it is listed, or lies in a range."""
        return str(version) in self.versions or any(version in span for span in self.ranges)

    def fixed_in(self, version: Version) -> Version | None:
        """Return the first later version without the problem; ``None`` if there is none yet."""
        fixes = [span.fixed for span in self.ranges if span.fixed is not None and span.fixed > version]
        return min((fix for fix in fixes if not self.affects(fix)), default=None)


def read_folder(folder: Path, packages: Iterable[str]) -> list[Advisory]:
    """Read the advisories about some packages, from every ``*.json`` below a folder.

    Raises:
        AdvisoryUnreadable: there is no advisory at all, or a file is not in the format of OSV.
    """
    names = set(packages)
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise AdvisoryUnreadable(f"{folder} has no advisories; unpack a download of OSV there (docs/maintenance.md)")
    return [advisory for path in files for advisory in _read(path, names)]


def _read(path: Path, names: set[str]) -> list[Advisory]:
    try:
        return list(parse(json.loads(path.read_bytes()), names))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdvisoryUnreadable(f"{path} is no advisory of OSV: {type(error).__name__}: {error}") from error


def parse(advisory: Mapping[str, Any], names: set[str]) -> Iterator[Advisory]:
    """Parse an advisory about the named packages; yields nothing if it was withdrawn.

    Raises:
        KeyError, TypeError, ValueError: it is not in the format of OSV.
    """
    identifier = advisory["id"]
    if advisory.get("withdrawn"):
        return
    for affected in advisory.get("affected", []):
        package = affected.get("package", {})
        name = canonicalize_name(package.get("name", ""))
        if package.get("ecosystem") == ECOSYSTEM and name in names:
            yield Advisory(
                id=identifier,
                aliases=tuple(advisory.get("aliases", [])),
                summary=advisory.get("summary") or advisory.get("details", "").partition("\n")[0],
                package=name,
                ranges=tuple(span for entry in affected.get("ranges", []) for span in _ranges(entry)),
                versions=frozenset(map(_canonical, affected.get("versions", []))),
            )


def _ranges(entry: Mapping[str, Any]) -> Iterator[Range]:
    """Pair the events in the order of versions: OSV does not promise any order."""
    if entry["type"] not in VERSIONED:
        return
    events = sorted(
        (_event(event) for event in entry["events"]), key=lambda event: (event[0] or Version("0"), event[2])
    )
    opened: tuple[Version | None] | None = None
    for version, kind, _ in events:
        if kind == "introduced":
            opened = opened or (version,)
        elif opened is not None and kind != "limit":
            yield Range(opened[0], fixed=version) if kind == "fixed" else Range(opened[0], last=version)
            opened = None
    if opened is not None:
        yield Range(opened[0])


# At the same version, what ends a range comes before what begins one; `last_affected` still belongs to its range.
ORDER = {"fixed": 0, "introduced": 1, "last_affected": 2, "limit": 3}


def _event(event: Mapping[str, str]) -> tuple[Version | None, str, int]:
    ((kind, text),) = event.items()
    beginning = kind == "introduced" and text == BEFORE_EVERYTHING
    return (None if beginning else Version(text)), kind, ORDER[kind] if not beginning else -1


def _canonical(text: str) -> str:
    """Write a version as ``str(Version)`` does; releases from before PEP 440 stay as they are: no lock pins them."""
    try:
        return str(Version(text))
    except InvalidVersion:
        return text
