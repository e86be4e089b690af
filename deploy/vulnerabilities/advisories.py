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
    """What one advisory says of one package."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    package: str
    ranges: tuple[Range, ...]
    versions: frozenset[str]

    def affects(self, version: Version) -> bool:
        """Whether this version has the problem: it is listed, or it lies in a range."""
        return str(version) in self.versions or any(version in span for span in self.ranges)

    def fixed_in(self, version: Version) -> Version | None:
        """The first later version without the problem; ``None`` where there is none yet."""
        fixes = [span.fixed for span in self.ranges if span.fixed is not None and span.fixed > version]
        return min((fix for fix in fixes if not self.affects(fix)), default=None)


def read_folder(folder: Path, packages: Iterable[str]) -> list[Advisory]:
    """The advisories about some packages, from every ``*.json`` below a folder.

    Raises:
        AdvisoryUnreadable: there is no advisory at all, or a file is not what OSV writes.
    """
    wanted = set(packages)
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise AdvisoryUnreadable(f"{folder} has no advisories; unpack a download of OSV there (docs/maintenance.md)")
    return [advisory for path in files for advisory in _read(path, wanted)]


def _read(path: Path, wanted: set[str]) -> list[Advisory]:
    try:
        return list(parse(json.loads(path.read_bytes()), wanted))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdvisoryUnreadable(f"{path} is no advisory of OSV: {type(error).__name__}: {error}") from error


def parse(advisory: Mapping[str, Any], wanted: set[str]) -> Iterator[Advisory]:
    """What an advisory says of each wanted package; nothing where it was withdrawn.

    Raises:
        KeyError, TypeError, ValueError: it is not what OSV writes.
    """
    identifier = advisory["id"]
    if advisory.get("withdrawn"):
        return
    for affected in advisory.get("affected", []):
        package = affected.get("package", {})
        name = canonicalize_name(package.get("name", ""))
        if package.get("ecosystem") == ECOSYSTEM and name in wanted:
            yield Advisory(
                id=identifier,
                aliases=tuple(advisory.get("aliases", [])),
                summary=advisory.get("summary") or advisory.get("details", "").partition("\n")[0],
                package=name,
                ranges=tuple(span for found in affected.get("ranges", []) for span in _ranges(found)),
                versions=frozenset(map(_canonical, affected.get("versions", []))),
            )


def _ranges(found: Mapping[str, Any]) -> Iterator[Range]:
    """Pairs of events, in the order of versions: OSV does not promise any order."""
    if found["type"] not in VERSIONED:
        return
    events = sorted(
        (_event(event) for event in found["events"]), key=lambda event: (event[0] or Version("0"), event[2])
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
    """A version as ``str(Version)`` writes it; releases from before PEP 440 stay as they are, nobody pins them."""
    try:
        return str(Version(text))
    except InvalidVersion:
        return text
