from typing import Any

import pytest

from deploy.vulnerabilities.accepted import ACCEPTED
from deploy.vulnerabilities.advisories import Advisory, parse
from deploy.vulnerabilities.known import find
from deploy.vulnerabilities.locks import read_pins
from tests.unit.vulnerabilities.osv import PILLOW, advisory


def advisories(*documents: dict[str, Any]) -> list[Advisory]:
    return [found for document in documents for found in parse(document, {"pillow", "example"})]


def pins(*names: str) -> list[Any]:
    return read_pins("".join(f"{name} \\\n    --hash=sha256:aa\n" for name in names))


def test_a_pinned_version_with_a_fixed_problem_is_found_with_its_locks() -> None:
    old = pins("pillow==12.1.1")
    (finding,) = find({"worker": old, "dev": old, "api": pins("six==1.17.0")}, advisories(PILLOW))
    assert str(finding) == (
        "pillow 12.1.1 (worker, dev): GHSA-whj4-6x5x-4v2j, CVE-2026-40192: "
        "Pillow: a FITS file can unpack to any size (gzip bomb) (fixed in 12.2.0)"
    )


def test_what_is_not_pinned_or_fixed_already_is_not_found() -> None:
    assert find({"worker": pins("pillow==12.2.0", "six==1.17.0")}, advisories(PILLOW)) == []


def test_a_problem_without_a_fix_says_so() -> None:
    (finding,) = find({"worker": pins("example==1.0")}, advisories(advisory({"introduced": "0"})))
    assert finding.fixed_in is None
    assert str(finding).endswith("(no fix yet)")


@pytest.mark.parametrize("name", ["GHSA-whj4-6x5x-4v2j", "CVE-2026-40192"])
def test_what_is_accepted_is_passed_over_by_any_of_its_names(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(ACCEPTED, name, "we read no FITS")
    assert find({"worker": pins("pillow==12.1.1")}, advisories(PILLOW)) == []
