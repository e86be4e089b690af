"""``python -m tests.benchmarks.table``: the figures of the last run of each command, as tables of the manual.

Without ``--write`` it prints them; with it, it puts them between the marks in ``docs/performance-tables.md``.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import FOLDER, number

PAGE = Path(__file__).parents[2] / "docs" / "performance-tables.md"
BEGIN = "<!-- figures: make bench, then python -m tests.benchmarks.table --write -->"
END = "<!-- end of figures -->"

Run = Mapping[str, Any]


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, default=FOLDER, help="folder with the JSON of the runs")
    parser.add_argument("--write", action="store_true", help="into docs/performance-tables.md")
    asked = parser.parse_args()
    text = tables(newest(asked.folder))
    if asked.write:
        PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    else:
        print(text)


def newest(folder: Path) -> list[Run]:
    """The last run of each command, by the names of the benchmarks."""
    runs: dict[tuple[str, str], Run] = {}
    for path in sorted(folder.glob("*.json")):  # The time is in the name.
        run = json.loads(path.read_text(encoding="utf-8"))
        runs[run["benchmark"], run["command"]] = run
    return [runs[key] for key in sorted(runs)]


def tables(runs: Sequence[Run]) -> str:
    """Markdown: a table for each run, with its machine."""
    return "\n\n".join("\n".join(_table(run)) for run in runs)


def placed(page: str, text: str) -> str:
    """The page with ``text`` between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _table(run: Run) -> Iterator[str]:
    yield f"### {run['benchmark']}"
    yield f"`{run['command']}`: {run['what']}."
    yield f"{run['at'][:10]}, {run['machine']}."
    yield ""
    yield from ("| figure | median | least | most | rounds | goal |", "|---|---:|---:|---:|---:|---|")
    for one in run["figures"]:
        unit = f" {one['unit']}" if one["unit"] else ""
        spread = [number(one[name]) if one["rounds"] > 1 else "" for name in ("least", "most")]
        cells = [one["name"], f"{number(one['median'])}{unit}", *spread, str(one["rounds"]), one["goal"] or ""]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
