"""The answers of ``GET /v1/jobs/{id}/images/{seq}/tiles``: the map of a photograph, and why a tile has its label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from phytobatch.resources import Cells, ClassifierRef, JsonObject, TileSums

Rows = Sequence[Sequence["str | None"]]


@dataclass(frozen=True)
class ImageTiles:
    """The tiles of a photograph, in pixels of the upright original; the tables have a row for each of ``y``."""

    seq: int
    name: str
    width: int
    height: int
    edge: int
    x: Sequence[int]
    y: Sequence[int]
    labels: Rows
    confidence: Sequence[Sequence[float | None]]
    review: Rows
    skipped: Rows
    classifier: ClassifierRef | None = None
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    def box(self, tile: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a tile, counted from 0, rows first; right and bottom are outside."""
        row, column = divmod(tile, len(self.x))
        left, top = self.x[column], self.y[row]
        return left, top, min(left + self.edge, self.width), min(top + self.edge, self.height)

    @classmethod
    def from_json(cls, data: JsonObject) -> ImageTiles:
        """Read the answer."""
        names = ("seq", "name", "width", "height", "edge", "x", "y", "labels", "confidence", "review", "skipped")
        classifier = ClassifierRef(data["classifier"]["name"], data["classifier"].get("version"))
        return cls(**{name: data[name] for name in names}, classifier=classifier, raw=data)


@dataclass(frozen=True)
class TileExplanation:
    """The evidence for the label of a tile; the box is in pixels of the upright original.

    ``explanation`` has rows of cells over the tile, 0 to 255.
    """

    seq: int
    tile: int
    label: str
    x: int
    y: int
    width: int
    height: int
    explanation: Cells
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> TileExplanation:
        """Read the answer of ``GET .../tiles/{tile}/explanation``."""
        names = ("seq", "tile", "label", "x", "y", "width", "height", "explanation")
        return cls(**{name: data[name] for name in names}, raw=data)


def sums_of(tiles: ImageTiles) -> TileSums:
    """Count the tiles of a map, the most frequent first."""
    labels: Counter[str] = Counter()
    review: Counter[str] = Counter()
    for row, reasons in zip(tiles.labels, tiles.review):
        for label, reason in zip(row, reasons):
            if reason is not None:
                review[reason] += 1
            elif label is not None:
                labels[label] += 1
    skipped = Counter(reason for row in tiles.skipped for reason in row if reason is not None)
    return TileSums.of(*(dict(each.most_common()) for each in (labels, review, skipped)))
