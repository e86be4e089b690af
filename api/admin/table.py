"""Tables for the terminal: a line of headings, then a line for each row."""

from collections.abc import Iterable, Sequence

GAP = "  "
NOTHING = "-"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out columns as wide as their longest cell; ``None`` and empty text show as ``-``."""
    cells = [list(headings), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(GAP.join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _cell(value: object) -> str:
    return NOTHING if value is None or value == "" else " ".join(str(value).split())
