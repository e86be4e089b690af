"""What a security rule would refuse stands with its reason, and nothing is refused in secret."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
# `# why`; several codes may stand together.
SUPPRESSION = re.compile(r"# noqa(?P<codes>: [A-Z]+\d+(?:, ?[A-Z]+\d+)*)?(?P<reason>  # .{5,})?")
SECURITY = re.compile(r"\bS\d{3}\b")
PROGRAMS = ("api", "client", "deploy", "shared", "worker", "migrations")
# Of the tests alone: assert is how pytest speaks, and they start our own programs.
ALLOWED_IN_TESTS = {"S101", "S603", "S607"}


def lines() -> list[tuple[str, str]]:
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        (f"{name}:{number}", line)
        for name in files.split()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if "noqa" in line and "test_suppressions" not in name
    ]


def test_every_suppressed_security_rule_has_its_reason() -> None:
    bare = []
    for place, line in lines():
        found = SUPPRESSION.search(line)
        assert found is not None, place
        assert found["codes"], f"{place}: name the rule"
        if SECURITY.search(found["codes"]) and not found["reason"] and place.split("/")[0] in PROGRAMS:
            bare.append(place)
    assert bare == []


def test_the_rules_of_bandit_are_on() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "ALL" in ruff["select"]
    assert not [rule for rule in ruff["ignore"] if SECURITY.fullmatch(rule)]
    for place, rules in ruff["per-file-ignores"].items():
        off = {rule for rule in rules if SECURITY.fullmatch(rule) or rule == "S"}
        assert off <= (ALLOWED_IN_TESTS if place.startswith("tests/") else set()), place
