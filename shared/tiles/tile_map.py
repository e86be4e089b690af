"""The map of an image: the answer of each of its tiles."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import REVIEW_NUMBERS, REVIEW_OF, SKIP_NUMBERS, SKIP_OF, TileSkip
from shared.tiles.grid import Grid

NO_LABEL = 255  # So a classifier has at most 255 classes.
# A confidence is stored in steps of 1/65535.
FULL = 65_535


@dataclass(frozen=True, slots=True)
class Tile:
    """The answer of one tile. ``label`` is the number of a class in the manifest; ``confidence`` 0 to 1.

    A tile that was skipped has neither, and ``skipped`` says why. A tile counts if it has a label and no reason for a
    review.
    """

    label: int | None = None
    confidence: float | None = None
    review: ReviewReason | None = None
    skipped: TileSkip | None = None

    @property
    def counts(self) -> bool:
        """True if the answer of the image is made of it."""
        return self.label is not None and self.review is None


@dataclass(frozen=True, slots=True)
class TileMap:
    """The answers of the tiles of a grid, rows first.

    ``labels`` are numbers of classes (``NO_LABEL``: skipped), ``confidences`` in steps of 1/``FULL``, ``reasons``
    numbers of ``shared.contracts.tiles``.
    """

    grid: Grid
    labels: bytes
    confidences: "array[int]"
    reasons: bytes

    @classmethod
    def of(cls, grid: Grid, tiles: Sequence[Tile]) -> "TileMap":
        """Make the map of ``tiles``, one for each tile of the grid.

        Raises:
            ValueError: their number is another.
        """
        if len(tiles) != grid.tiles:
            raise ValueError(f"the grid has {grid.tiles} tiles, got {len(tiles)}")
        return cls(
            grid,
            bytes(NO_LABEL if tile.label is None else tile.label for tile in tiles),
            array("H", [0 if tile.confidence is None else round(tile.confidence * FULL) for tile in tiles]),
            bytes(_number(tile) for tile in tiles),
        )

    @classmethod
    def skipped(cls, grid: Grid, reason: TileSkip) -> "TileMap":
        """Make the map of a photograph that was not classified at all."""
        return cls.of(grid, [Tile(skipped=reason)] * grid.tiles)

    def tile(self, number: int) -> Tile:
        """Return the answer of a tile, counted from 0, rows first."""
        label, reason = self.labels[number], self.reasons[number]
        if label == NO_LABEL:
            return Tile(skipped=SKIP_OF.get(reason))
        return Tile(label, self.confidences[number] / FULL, REVIEW_OF.get(reason))

    def __iter__(self) -> Iterator[Tile]:
        return map(self.tile, range(self.grid.tiles))


@dataclass(frozen=True, slots=True)
class TileSums:
    """The sums of a map, which stand beside it for SQL: tiles that count by label, the others by their reason."""

    labels: dict[str, int]
    review: dict[ReviewReason, int]
    skipped: dict[TileSkip, int]

    @property
    def counted(self) -> int:
        """The number of tiles that count."""
        return sum(self.labels.values())

    @property
    def total(self) -> int:
        """The number of all tiles."""
        return self.counted + sum(self.review.values()) + sum(self.skipped.values())

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return the form of the column ``results.tile_sums``."""
        return {
            "labels": dict(self.labels),
            "review": {reason.value: count for reason, count in self.review.items()},
            "skipped": {reason.value: count for reason, count in self.skipped.items()},
        }

    @classmethod
    def from_json(cls, stored: dict[str, dict[str, int]]) -> "TileSums":
        """Read the column ``results.tile_sums``."""
        return cls(
            labels=dict(stored["labels"]),
            review={ReviewReason(key): count for key, count in stored["review"].items()},
            skipped={TileSkip(key): count for key, count in stored["skipped"].items()},
        )


def sum_up(answered: TileMap, labels: Sequence[str]) -> TileSums:
    """Count the tiles of a map; ``labels`` are the class ids of the manifest, in its order."""
    counted: Counter[str] = Counter()
    review: Counter[ReviewReason] = Counter()
    skipped: Counter[TileSkip] = Counter()
    for (label, reason), count in Counter(zip(answered.labels, answered.reasons, strict=True)).items():
        if label == NO_LABEL:
            skipped[SKIP_OF[reason]] += count
        elif reason:
            review[REVIEW_OF[reason]] += count
        else:
            counted[labels[label]] += count
    return TileSums(dict(counted), dict(review), dict(skipped))


def _number(tile: Tile) -> int:
    if tile.skipped is not None:
        return SKIP_NUMBERS[tile.skipped]
    return 0 if tile.review is None else REVIEW_NUMBERS[tile.review]
