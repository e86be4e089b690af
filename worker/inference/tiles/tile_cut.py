"""The cut that is asked of one photograph."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.states import ImageErrorCode
from shared.tiles.grid import Grid, count_tiles, lay_grid
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits


@dataclass(frozen=True, slots=True)
class KnownTiles:
    """Some tiles of a photograph that was answered before: only they are cut, to say why they have their labels.

    Attributes:
        grid: of the answer.
        labels: the number of its class, in the order of the manifest, by the number of the tile.
    """

    grid: Grid
    labels: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class TileCut:
    """The tiles of one photograph, which each photograph of a run may have of its own.

    Attributes:
        edge: of a tile, in pixels of the upright original.
        overlap: the part of an edge that neighbours share, 0 to 0.5.
        is_coarse: its pixels are larger on the ground than those that the classifier has learned, and the job wants an
            answer in spite of that. The answer says so (``too_coarse``).
        known: only these tiles, of an answer that is there already.
    """

    edge: int
    overlap: float = 0.0
    is_coarse: bool = False
    known: KnownTiles | None = None


def lay_tiles(width: int, height: int, cut: TileCut, limits: PictureLimits) -> Grid:
    """Lay the tiles of an upright photograph; both edges are in pixels.

    Raises:
        ImageError: ``too_many_tiles``; ``size_mismatch``: known tiles are those of another photograph.
    """
    if cut.known is not None:
        return _known_grid(width, height, cut.known.grid)
    check_tiles(width, height, cut, limits)
    return lay_grid(width, height, cut.edge, cut.overlap)


def _known_grid(width: int, height: int, grid: Grid) -> Grid:
    if (grid.width, grid.height) != (width, height):
        detail = (
            f"The picture is {width} x {height} pixels now, and the answer is about {grid.width} x {grid.height}; it "
            "was replaced since. Classify it again."
        )
        raise ImageError(ImageErrorCode.SIZE_MISMATCH, detail)
    return grid


def check_tiles(width: int, height: int, cut: TileCut, limits: PictureLimits) -> None:
    """Refuse a photograph with too many tiles. It may be upright or lie on its side: they are as many.

    Raises:
        ImageError: ``too_many_tiles``.
    """
    tiles = count_tiles(width, height, cut.edge, cut.overlap)
    if tiles > limits.tiles:
        overlap = f" that share {cut.overlap:g} of an edge" if cut.overlap else ""
        less = " or less overlap" if cut.overlap else ""
        detail = (
            f"The picture of {width} x {height} pixels has {tiles} tiles of {cut.edge} pixels{overlap}, more than the "
            f"limit of {limits.tiles}; take larger tiles{less}."
        )
        raise ImageError(ImageErrorCode.TOO_MANY_TILES, detail)
