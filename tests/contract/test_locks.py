"""What an image installs is what was tested: the versions of the lock of the tests, by hash, from no named host."""

import re
from pathlib import Path

import pytest

from deploy.vulnerabilities.locks import image_pins

LOCKS = Path(__file__).resolve().parents[2] / "deploy" / "locks"
IMAGES = ("api", "backup", "build", "deliverer", "gpu", "worker")
OTHERS = ("dev", "checks", "client", "client-tests")
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def versions(name: str) -> dict[str, set[str]]:
    """Package to its versions (more than one where they depend on the version of Python)."""
    found: dict[str, set[str]] = {}
    for package, version in ENTRY.findall((LOCKS / f"{name}.txt").read_text()):
        found.setdefault(package, set()).add(version)
    return found


def test_there_is_a_lock_for_each_image_for_the_client_and_for_tests_and_checks() -> None:
    assert sorted(path.stem for path in LOCKS.glob("*.txt")) == sorted((*IMAGES, *OTHERS))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_versions_that_were_tested(image: str) -> None:
    tested = versions("dev")
    differs = {
        name: (found, tested[name]) for name, found in versions(image).items() if found - tested.get(name, found)
    }
    assert differs == {}


def test_the_client_was_tested_with_what_its_own_lock_installs_on_the_same_python() -> None:
    ours = {pin.name: str(pin.version) for pin in image_pins("client", LOCKS)}
    assert set(ours) >= {"rich", "urllib3"}
    tested = versions("dev")
    assert {name: version for name, version in ours.items() if version not in tested[name]} == {}


@pytest.mark.parametrize("lock", [*IMAGES, *OTHERS])
def test_every_package_has_hashes_and_no_lock_names_a_host(lock: str) -> None:
    text = (LOCKS / f"{lock}.txt").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize(("image", "never"), [("api", "tensorflow"), ("worker", "tensorflow"), ("deliverer", "numpy")])
def test_small_images_stay_small(image: str, never: str) -> None:
    assert not [name for name in versions(image) if name.startswith(never)]
