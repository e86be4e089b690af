"""The answer of a photograph in six tiles."""

from shared.jobs.results import NewResult
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from tests.integration.tiled_jobs import answered

# Three tiles beside each other, two above each other; the last column and row moved inwards.
MAP = TileMap.of(
    lay_grid(500, 300, 200),
    [Tile(2, 0.8), Tile(0, 0.9), Tile(0, 0.7), Tile(2, 0.6), Tile(1, 0.5), Tile(0, 0.9)],
)


def in_tiles(seq: int) -> NewResult:
    """Make the answer of a photograph of 500 x 300 pixels."""
    return answered(seq, MAP)
