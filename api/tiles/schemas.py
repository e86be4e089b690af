"""The map of an image on the wire."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.wire.jobs import PinnedClassifier
from shared.classifiers.registry import manifest_of
from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import TileSkip
from shared.tiles.grid import Grid
from shared.tiles.stored import StoredMap
from shared.tiles.tile_map import Tile

# A confidence is stored in steps of 1/65535.
DIGITS = 5

EXAMPLE: dict[str, Any] = {
    "seq": 10,
    "name": "DJI_0010.JPG",
    "width": 640,
    "height": 480,
    "edge": 256,
    "x": [0, 256, 384],
    "y": [0, 224],
    "labels": [["healthy", "rust", None], ["healthy", "healthy", None]],
    "confidence": [[0.98, 0.91, None], [0.97, 0.62, None]],
    "review": [[None, None, None], [None, "low_confidence", None]],
    "skipped": [[None, None, "too_coarse"], [None, None, "too_coarse"]],
    "classifier": {"name": "leaf", "version": "1"},
}

T = TypeVar("T")
Table = list[list[T]]


class ImageTiles(BaseModel):
    """The answers of the tiles of an image, in four tables.

    Each has a row for each of ``y``, and in it a value for each of ``x``. Every tile is ``edge`` wide and high, but no
    larger than the image. Its number is row * columns + column, from 0.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    seq: int
    name: str
    width: int = Field(description="Of the upright original, in pixels.")
    height: int = Field(description="Of the upright original, in pixels.")
    edge: int = Field(description="Of a tile, in pixels of the upright original.")
    x: list[int] = Field(description="Left edges of the columns, in pixels.")
    y: list[int] = Field(description="Top edges of the rows, in pixels.")
    labels: Table[str | None] = Field(description="Class ids; `null` for a tile that was skipped.")
    confidence: Table[float | None] = Field(description="Of the label, 0 to 1.")
    review: Table[ReviewReason | None] = Field(
        description="The reason why a person should review the tile; a tile that has one does not count."
    )
    skipped: Table[TileSkip | None] = Field(description="The reason why a tile was not classified.")
    classifier: PinnedClassifier


def image_tiles(seq: int, found: StoredMap) -> ImageTiles:
    """Return the map of an image as clients see it.

    Raises:
        StoredMapInvalid: a newer program wrote it, or it is damaged.
    """
    answered, labels = found.decode(), manifest_of(found.classifier).labels
    grid = answered.grid
    return ImageTiles(
        seq=seq,
        name=found.name,
        width=grid.width,
        height=grid.height,
        edge=grid.edge,
        x=list(grid.x),
        y=list(grid.y),
        labels=_table((None if tile.label is None else labels[tile.label] for tile in answered), grid),
        confidence=_table((_confidence(tile) for tile in answered), grid),
        review=_table((tile.review for tile in answered), grid),
        skipped=_table((tile.skipped for tile in answered), grid),
        classifier=PinnedClassifier(name=found.classifier.name, version=found.classifier.version),
    )


def _confidence(tile: Tile) -> float | None:
    return None if tile.confidence is None else round(tile.confidence, DIGITS)


def _table(values: Iterable[T], grid: Grid) -> Table[T]:
    rest = iter(values)
    return [list(islice(rest, grid.columns)) for _ in range(grid.rows)]
