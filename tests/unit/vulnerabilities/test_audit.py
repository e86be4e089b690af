from typing import Any

import pytest

from deploy.vulnerabilities.audit import judge
from deploy.vulnerabilities.errors import NotComplete
from deploy.vulnerabilities.locks import read_pins

PINS = read_pins("pillow==12.1.1 \\\n    --hash=sha256:aa\nsix==1.17.0 \\\n    --hash=sha256:bb\n")
SIX = {"name": "six", "version": "1.17.0", "vulns": []}
PILLOW = {
    "name": "pillow",
    "version": "12.1.1",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["12.2.0"], "aliases": ["CVE-2026-40192"], "description": "..."}],
}
# What pip-audit 2.10.1 wrote without a network, with status 0 and "No known vulnerabilities found".
SKIPPED = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.17.0)"}


def report(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(entries), "fixes": []}


def test_problems_are_named_with_their_cure() -> None:
    (problem,) = judge("worker.txt", PINS, report(PILLOW, SIX))
    assert str(problem) == "pillow 12.1.1: PYSEC-2026-1 (fixed in 12.2.0)"


def test_an_audit_that_skipped_a_package_fails_although_pip_audit_calls_it_clean() -> None:
    with pytest.raises(
        NotComplete, match=r"1 of 2 packages were not audited.*not found on PyPI.*Left out: six 1\.17\.0"
    ):
        judge("worker.txt", PINS, report({**PILLOW, "vulns": []}, SKIPPED))


def test_an_audit_that_leaves_out_a_package_without_a_word_fails() -> None:
    with pytest.raises(NotComplete, match="Left out: pillow"):
        judge("worker.txt", PINS, report(SIX))


def test_an_answer_for_another_version_is_no_answer() -> None:
    with pytest.raises(NotComplete, match=r"Left out: six 1\.17\.0"):
        judge("worker.txt", PINS, report(PILLOW, {**SIX, "version": "1.16.0"}))
