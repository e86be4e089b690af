"""The tiles of a photograph as areas of a picture, and what is drawn there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from phytobatch.tiles.answer import ImageTiles

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Cell:
    """A tile in a picture: left, top, right, bottom in its pixels. It has a label, a reason to review, or neither."""

    box: Box
    label: str | None
    confidence: float | None
    review: str | None

    @property
    def width(self) -> int:
        """Its width in pixels of the picture."""
        return self.box[2] - self.box[0]


def cells(tiles: ImageTiles, width: int, height: int) -> Iterator[Cell]:
    """Yield what was classified of a photograph, in a picture of it that is ``width`` by ``height`` pixels.

    Tiles that overlap meet in the middle of what they share, so that each place is drawn once.
    """
    across = _borders(tiles.x, tiles.edge, tiles.width, width)
    down = _borders(tiles.y, tiles.edge, tiles.height, height)
    for row in range(len(tiles.y)):
        for column in range(len(tiles.x)):
            label = tiles.labels[row][column]
            if label is not None:
                box = (across[column], down[row], across[column + 1], down[row + 1])
                yield Cell(box, label, tiles.confidence[row][column], tiles.review[row][column])


def _borders(starts: Sequence[int], edge: int, length: int, drawn: int) -> list[int]:
    """Return where the cells of one direction begin, and where the last one ends."""
    middles = [(before + edge + start) / 2 for before, start in zip(starts, starts[1:])]
    return [round(place * drawn / length) for place in (0, *middles, length)]
