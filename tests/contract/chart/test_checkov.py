"""Checkov's policies for Kubernetes. What we do otherwise is listed with its reason; nothing else may fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.chart.rendering import WORKLOADS, files, rendered
from tests.contract.check_tools import run

pytestmark = pytest.mark.slow

BY_TAG = {
    "CKV_K8S_15": "a tag of ours never moves; asking again would make every restart depend on the registry",
    "CKV_K8S_43": "the operator builds the images, so only they can know the digests; values take them",
}
ACCEPTED = {
    "CKV_K8S_35": "configuration is by environment variables alone, so secrets are too",
}
EXPECTED = {
    "minimal": {**ACCEPTED, **BY_TAG},
    "gpu": {**ACCEPTED, **BY_TAG},
    "locked-down": ACCEPTED,
}
# Rights of pods are checked here alone. The examples for other clusters have pods as these have (test_platforms.py has
# the difference on OpenShift).
EXAMPLES = tuple(EXPECTED)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the report of checkov on these examples, from one start of it."""
    folder = tmp_path_factory.mktemp("rendered")
    files(folder, EXAMPLES)
    done = run("checkov", "--directory", folder, "--framework", "kubernetes", "--skip-download", "--output", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def checks(report: dict[str, Any], result: str, example: str) -> Iterator[dict[str, Any]]:
    yield from (c for c in report["results"][result] if Path(c["file_path"]).parts[-2] == example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_fails_but_what_we_accept_and_nothing_is_accepted_for_no_reason(
    report: dict[str, Any], example: str
) -> None:
    failed = {f"{c['check_id']} {c['check_name']}: {c['resource']}" for c in checks(report, "failed_checks", example)}
    assert {line.split()[0] for line in failed} == set(EXPECTED[example]), sorted(failed)


def test_nothing_was_skipped_or_could_not_be_read(report: dict[str, Any]) -> None:
    assert report["summary"]["skipped"] == 0
    assert report["summary"]["parsing_errors"] == 0


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_program_was_looked_at(report: dict[str, Any], example: str) -> None:
    looked_at = {check["resource"] for check in checks(report, "passed_checks", example)}
    programs = {
        f"{manifest['kind']}.plants.{manifest['metadata']['name']}"
        for manifest in rendered(example)
        if manifest["kind"] in WORKLOADS
    }
    assert programs
    assert programs <= looked_at
