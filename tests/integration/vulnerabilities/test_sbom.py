"""The real cyclonedx-py writes and validates the list of an image."""

import json
from pathlib import Path

from deploy.vulnerabilities import sbom
from deploy.vulnerabilities.locks import image_pins
from tests.contract.check_tools import tool


def test_the_list_of_an_image_has_every_package_of_its_lock_with_its_hashes(tmp_path: Path) -> None:
    tool("cyclonedx-py")
    path = sbom.write("worker", tmp_path)
    bom = json.loads(path.read_text(encoding="utf-8"))
    assert (path.name, bom["bomFormat"], bom["specVersion"]) == ("phytobatch-worker.cdx.json", "CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "phytobatch-worker"
    assert len(bom["components"]) == len(image_pins("worker"))
    (numpy,) = (c for c in bom["components"] if c["name"] == "numpy")
    assert numpy["purl"].startswith(f"pkg:pypi/numpy@{numpy['version']}")


def test_the_same_lock_makes_the_same_list(tmp_path: Path) -> None:
    tool("cyclonedx-py")
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert sbom.write("deliverer", first).read_bytes() == sbom.write("deliverer", second).read_bytes()
