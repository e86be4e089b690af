"""The output of the commands: short lines for a person."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.local.card import StackCard
from deploy.local.folder import DataFolder

SHOWN_ROWS = 20
FILE_WIDTH = 36  # characters; what is longer goes on in the next line
console = Console(highlight=False, soft_wrap=True)


class Steps:
    """A printer of steps, each with the seconds since the command began."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self, message: str) -> None:
        """Print one step."""
        console.print(f"{time.monotonic() - self._begin:6.1f} s  {message}", markup=False)


def show_card(card: StackCard, folder: DataFolder, api_key: str) -> None:
    """Print one screen about a running stack."""
    rows = {
        "API": card.url,
        "documentation": f"{card.url}/docs",
        "API key": api_key,
        "data folder": str(folder.path),
        "logs": str(folder.logs),
        **{f"{name} metrics": url for name, url in card.metrics.items()},
        "stop": f"Ctrl-C here, or: make down  (process {card.pid})",
    }
    console.print()
    for name, value in rows.items():
        console.print(f"  {name:<17} {value}", markup=False)
    console.print("\n  Classify a folder of photos:", markup=False)
    console.print(f"    export PHYTOBATCH_URL={card.url} PHYTOBATCH_API_KEY={api_key}", markup=False)
    console.print("    phytobatch submit FOLDER --watch --out results.csv\n", markup=False)


def show_results(rows: Sequence[Mapping[str, str]]) -> None:
    """Print the first rows of the results as a table, failures first, and the counts."""
    ordered = sorted(rows, key=lambda row: row["status"] == "succeeded")[:SHOWN_ROWS]
    table = Table(box=None, title=f"{len(ordered)} of {len(rows)} images", title_justify="left")
    table.add_column("file", overflow="fold", min_width=FILE_WIDTH)
    table.add_column("result", overflow="fold")
    table.add_column("confidence", justify="right")
    table.add_column("check")
    for row in ordered:
        table.add_row(*(escape(cell) for cell in _cells(row)))
    console.print(table)
    counts = Counter(row["label"] or row["status"] for row in rows)
    console.print("  " + ", ".join(f"{count} {name}" for name, count in counts.most_common()), markup=False)


def _cells(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    if row["status"] != "succeeded":
        return row["name"], f"{row['status']}: {row['error_code']}", "", "yes"
    review = row["review_reason"] if row["needs_review"] == "true" else ""
    return row["name"], row["label"], f"{float(row['confidence']):.1%}", review
