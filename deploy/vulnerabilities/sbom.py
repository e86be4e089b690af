"""The list of the packages in an image (SBOM), in CycloneDX JSON, from the lock that it is installed from."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.vulnerabilities import tools
from deploy.vulnerabilities.errors import NotComplete
from deploy.vulnerabilities.locks import LOCKS, Pin, image_pins

SPECIFICATION = "1.6"
PROJECT = LOCKS.parents[1] / "pyproject.toml"


def write(image: str, folder: Path, *, locks: Path = LOCKS) -> Path:
    """Write the list of one image; the same lock gives the same bytes.

    Returns:
        The file, ``phytobatch-IMAGE.cdx.json``.

    Raises:
        NotComplete: a package or a hash of the lock is not in the list, or the list does not fit its schema.
        ToolMissing: cyclonedx-py is not installed.
    """
    pins = image_pins(image, locks)
    path = folder / f"phytobatch-{image}.cdx.json"
    with TemporaryDirectory() as temporary:
        requirements, project = Path(temporary) / "requirements.txt", Path(temporary) / "pyproject.toml"
        requirements.write_text("".join(pin.line() for pin in pins), encoding="utf-8")
        project.write_text(_project(image), encoding="utf-8")
        done = tools.run(
            "cyclonedx-py", "requirements", requirements, "--pyproject", project, "--output-format", "JSON",
            "--schema-version", SPECIFICATION, "--output-reproducible", "--validate", "--outfile", path,
        )  # fmt: skip
    if done.returncode:
        raise NotComplete(f"{image}: cyclonedx-py failed: {(done.stderr or done.stdout).strip()}")
    check(image, pins, json.loads(path.read_text(encoding="utf-8")))
    return path


def check(image: str, pins: Sequence[Pin], bom: dict[str, Any]) -> None:
    """Compare a list with the lock.

    Raises:
        NotComplete: a package is missing, is not in the lock, or has no hash.
    """
    listed = {_title(c["name"], c["version"]): _hashes(c) for c in bom.get("components", [])}
    locked = {_title(pin.name, str(pin.version)) for pin in pins}
    differs = sorted(listed.keys() ^ locked)
    without = sorted(title for title, hashes in listed.items() if not hashes)
    if differs or without:
        raise NotComplete(
            f"{image}: the list differs from the lock: {differs or 'no'}; without a hash: {without or 'no'}"
        )


def _title(name: str, version: str) -> str:
    return f"{canonicalize_name(name)} {Version(version)}"


def _hashes(component: dict[str, Any]) -> set[str]:
    references = component.get("externalReferences", [])
    return {entry["content"] for reference in references for entry in reference.get("hashes", [])}


def _project(image: str) -> str:
    """Describe the project of the list. cyclonedx-py 4 refuses our licence, which is in the form of PEP 639."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return (
        f'[project]\nname = "phytobatch-{image}"\nversion = "{project["version"]}"\n'
        f'description = "{project["description"]}"\nlicense = {{text = "{project["license"]}"}}\n'
    )
