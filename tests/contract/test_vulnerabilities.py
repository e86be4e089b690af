"""What is pinned has no known problem that a newer version fixes, as far as the advisories on this machine say.

A machine with a network fills a folder once (docs/maintenance.md) and names it in PHYTOBATCH_ADVISORIES.
"""

import os
from pathlib import Path

import pytest

from deploy.vulnerabilities.accepted import ACCEPTED
from deploy.vulnerabilities.advisories import Advisory, read_folder
from deploy.vulnerabilities.known import FOLDER_VARIABLE, find
from deploy.vulnerabilities.locks import lock_files, read_lock

LOCKS = {path.stem: read_lock(path) for path in lock_files()}


@pytest.fixture(scope="module")
def advisories() -> list[Advisory]:
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        pytest.skip(f"no advisory data: {FOLDER_VARIABLE} names no folder (docs/maintenance.md says how to fill one)")
    return read_folder(Path(folder), {pin.name for pins in LOCKS.values() for pin in pins})


def test_no_pinned_version_has_a_problem_that_a_newer_one_fixes(advisories: list[Advisory]) -> None:
    fixable = [str(finding) for finding in find(LOCKS, advisories) if finding.fixed_in]
    assert fixable == [], "raise the lower bounds in pyproject.toml, run `make lock`, or say in accepted.py why not"


def test_what_is_accepted_still_exists(advisories: list[Advisory]) -> None:
    names = {name for advisory in advisories for name in (advisory.id, *advisory.aliases)}
    assert ACCEPTED.keys() - names == set()


def test_what_is_accepted_has_a_reason() -> None:
    assert all(reason.strip() for reason in ACCEPTED.values())
