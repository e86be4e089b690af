"""The manual and the code name the same settings."""

import re
from pathlib import Path

from shared.settings import ENV_PREFIX, environment_table

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "configuration.md"
SOURCES = ("api", "client", "deploy", "shared", "worker")


def test_the_table_of_the_manual_is_the_one_that_the_code_prints() -> None:
    assert environment_table() in MANUAL.read_text(encoding="utf-8"), "run `python -m shared.settings` and paste it"


def test_every_variable_that_the_code_reads_stands_in_the_manual() -> None:
    named = {
        name
        for source in SOURCES
        for file in (ROOT / source).rglob("*.py")
        for name in re.findall(rf"\b{ENV_PREFIX}[A-Z0-9_]+", file.read_text(encoding="utf-8"))
    }
    manual = MANUAL.read_text(encoding="utf-8")
    missing = sorted(name for name in named if not name.endswith("_") and f"`{name}`" not in manual)
    assert missing == []
