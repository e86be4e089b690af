"""The locks of deploy/locks, read as data."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = Path(__file__).parents[1] / "locks"
IMAGES = ("api", "worker", "gpu", "deliverer", "backup")
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\\n]+?))?\s*\\\n"
    r"(?P<hashes>(?:[ \t]+--hash=\S+[ \t]*\\?\n)+)",
    re.MULTILINE,
)
# What an image is: PYTHON_IMAGE of deploy/Dockerfile, in its newest release.
IMAGE_ENVIRONMENT = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.99",
    "python_version": "3.11",
    "sys_platform": "linux",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """A package in a lock. ``name`` is in its canonical form."""

    name: str
    version: Version
    marker: Marker | None
    hashes: tuple[str, ...]

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Return True if it is installed in this environment."""
        return self.marker is None or self.marker.evaluate(dict(environment))

    def line(self) -> str:
        """Write it as a requirement with its hashes and without its marker."""
        return " \\\n    ".join((f"{self.name}=={self.version}", *self.hashes)) + "\n"


def read_pins(text: str) -> list[Pin]:
    """Read every package of a lock, those for other systems and Pythons included."""
    return [
        Pin(
            canonicalize_name(entry["name"]),
            Version(entry["version"]),
            Marker(entry["marker"]) if entry["marker"] else None,
            tuple(re.findall(r"--hash=\S+", entry["hashes"])),
        )
        for entry in ENTRY.finditer(text)
    ]


def lock_files(folder: Path = LOCKS) -> list[Path]:
    """List every lock: those of the images, of the tests and of the check tools."""
    return sorted(folder.glob("*.txt"))


def read_lock(path: Path) -> list[Pin]:
    """Read the packages of a lock."""
    return read_pins(path.read_text(encoding="utf-8"))


def image_pins(image: str, folder: Path = LOCKS) -> list[Pin]:
    """List the packages that are installed into an image."""
    return [pin for pin in read_lock(folder / f"{image}.txt") if pin.applies(IMAGE_ENVIRONMENT)]


def rounds(pins: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Split pins into as few lists as possible, each with one version of a package."""
    rest = list(pins)
    while rest:
        first: dict[str, Pin] = {}
        for pin in rest:
            first.setdefault(pin.name, pin)
        yield list(first.values())
        taken = {id(pin) for pin in first.values()}
        rest = [pin for pin in rest if id(pin) not in taken]
