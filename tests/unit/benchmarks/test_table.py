"""Figures of a benchmark, from the measurement to the page."""

from pathlib import Path

import pytest

from tests.benchmarks.figures import Figures, number
from tests.benchmarks.table import BEGIN, END, newest, placed, tables


def test_a_figure_reaches_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures("sample", "what is measured")
    figures.add("full-size: system / floor", [0.91, 0.9, 0.95], goal="≥ 0.90")
    figures.add("URLs", 20_000, "URLs")
    figures.keep(tmp_path)
    assert "full-size: system / floor: 0.91 (0.9 to 0.95, 3 rounds); goal ≥ 0.90" in capsys.readouterr().out
    page = placed(f"above\n{BEGIN}\nold\n{END}\nbelow\n", tables(newest(tmp_path)))
    assert "| full-size: system / floor | 0.91 | 0.9 | 0.95 | 3 | ≥ 0.90 |" in page
    assert "| URLs | 20,000 URLs |  |  | 1 |  |" in page
    assert page.startswith("above\n")
    assert page.endswith("\nbelow\n")
    assert "old" not in page


def test_a_page_without_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="no <!-- figures"):
        placed("a page", "tables")


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (0.9049, "0.905"), (44.44, "44.4"), (1234.5, "1,234"), (20_000, "20,000")]
)
def test_numbers_are_as_long_as_they_are_good(value: float, text: str) -> None:
    assert number(value) == text
