"""The tables of docs/scaling.md are those that the command prints, and what it names exists."""

import re
from pathlib import Path

import pytest

from shared.metrics.definitions import TABLE
from tests.benchmarks.capacity.__main__ import main
from tests.benchmarks.capacity.read import read_inputs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"<!-- python -m tests\.benchmarks\.capacity -->\n(.*?)\n<!-- end -->", re.DOTALL)


@pytest.mark.slow
def test_the_tables_are_those_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = BLOCK.search(PAGE)
    assert shown, "the page has no block"
    assert shown[1].strip() == capsys.readouterr().out.strip(), "paste what python -m tests.benchmarks.capacity prints"


def test_the_example_is_a_file_that_the_command_takes(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "mine.toml"
    file.write_text(example, encoding="utf-8")
    settings = re.findall(r"--set (\S+)", PAGE.partition("```toml")[0])
    assert len(settings) == 2
    assert [kind.name for kind in read_inputs(file, settings).workers] == ["our-node"]


def test_every_benchmark_and_metric_that_the_page_names_exists() -> None:
    folder = ROOT / "tests" / "benchmarks"
    named = set(re.findall(r"tests\.benchmarks\.(\w+)", PAGE))
    assert named - {file.stem for file in folder.glob("*.py")} == {"capacity"}
    assert (folder / "capacity" / "__main__.py").exists()
    assert set(re.findall(r"phytobatch_\w+", PAGE)) <= {one.name for one in TABLE}
