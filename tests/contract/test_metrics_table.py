"""The manual and the code name the same metrics."""

import re
from pathlib import Path

import pytest

from shared.metrics.__main__ import metrics_table
from shared.metrics.definition import Definition, Kind
from shared.metrics.definitions import TABLE

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "metrics.md"


def test_the_table_of_the_manual_is_the_one_that_the_code_prints() -> None:
    assert metrics_table() in MANUAL.read_text(encoding="utf-8"), "run `python -m shared.metrics` and paste it"


@pytest.mark.parametrize("line", list(TABLE), ids=lambda line: line.name)
def test_a_name_follows_the_rules_of_prometheus(line: Definition) -> None:
    assert re.fullmatch(r"phytobatch_[a-z0-9_]+", line.name)
    assert line.name.endswith("_total") == (line.kind is Kind.COUNTER)
    assert line.meaning.endswith(".")
    assert line.programs


def test_whatever_the_manual_asks_prometheus_for_is_there() -> None:
    named = set(re.findall(r"phytobatch_[a-z0-9_]+", MANUAL.read_text(encoding="utf-8")))
    known = {line.name for line in TABLE}
    of_histograms = {
        f"{line.name}_{end}" for line in TABLE if line.kind is Kind.HISTOGRAM for end in ("bucket", "sum", "count")
    }
    assert named - known - of_histograms == set()
