"""The grid of a photograph: tiles that cover all of it, row by row."""

from dataclasses import dataclass
from math import ceil

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """The tiles of one photograph, in pixels of the upright original.

    Every tile is ``edge`` wide and high, but no wider or higher than the photograph. The tile ``row * columns +
    column`` begins at ``x[column], y[row]``.
    """

    width: int
    height: int
    edge: int
    x: tuple[int, ...]
    y: tuple[int, ...]

    @property
    def columns(self) -> int:
        """The number of tiles beside each other."""
        return len(self.x)

    @property
    def rows(self) -> int:
        """The number of tiles above each other."""
        return len(self.y)

    @property
    def tiles(self) -> int:
        """The number of all tiles."""
        return len(self.x) * len(self.y)

    def box(self, tile: int) -> Box:
        """Return left, top, right and bottom of a tile, counted from 0, rows first; right and bottom are outside."""
        row, column = divmod(tile, self.columns)
        left, top = self.x[column], self.y[row]
        return left, top, min(left + self.edge, self.width), min(top + self.edge, self.height)


def lay_grid(width: int, height: int, edge: int, overlap: float = 0.0) -> Grid:
    """Lay tiles over a photograph: the last row and column move inwards, nothing is padded, nothing is left out.

    Args:
        width: of the upright photograph, in pixels.
        height: likewise.
        edge: of a tile, in pixels.
        overlap: the part of an edge that neighbours share, 0 to 0.5.
    """
    return Grid(width, height, edge, _starts(width, edge, overlap), _starts(height, edge, overlap))


def count_tiles(width: int, height: int, edge: int, overlap: float = 0.0) -> int:
    """Count the tiles of a grid without laying it: a header may name a billion."""
    return _count(width, edge, overlap) * _count(height, edge, overlap)


def _step(edge: int, overlap: float) -> int:
    return max(1, round(edge * (1 - overlap)))


def _count(length: int, edge: int, overlap: float) -> int:
    return 1 if length <= edge else ceil((length - edge) / _step(edge, overlap)) + 1


def _starts(length: int, edge: int, overlap: float) -> tuple[int, ...]:
    step, last = _step(edge, overlap), max(0, length - edge)
    return tuple(min(number * step, last) for number in range(_count(length, edge, overlap)))
