"""The answer of ``GET /v1/jobs/{id}/images/{seq}/tiles``: the map of a photograph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from phytobatch.resources import ClassifierRef, JsonObject, Result

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

    @classmethod
    def from_json(cls, data: JsonObject) -> ImageTiles:
        """Read the answer."""
        names = ("seq", "name", "width", "height", "edge", "x", "y", "labels", "confidence", "review", "skipped")
        classifier = ClassifierRef(data["classifier"]["name"], data["classifier"].get("version"))
        return cls(**{name: data[name] for name in names}, classifier=classifier, raw=data)


@dataclass(frozen=True)
class TileCounts:
    """Tiles that count by label, those that ask for a person and those that were skipped by reason."""

    labels: Mapping[str, int]
    review: Mapping[str, int]
    skipped: Mapping[str, int]

    @property
    def counted(self) -> int:
        """The tiles that count."""
        return sum(self.labels.values())

    def diseased_share(self, healthy: Collection[str]) -> float:
        """Return the part of the tiles that count whose label is none of the ``healthy`` ones, 0 to 1."""
        return sum(self.share(label) for label in self.labels if label not in healthy)

    def share(self, label: str) -> float:
        """Return the part of the tiles that count which carry a label, 0 to 1."""
        return self.labels.get(label, 0) / self.counted if self.counted else 0.0

    @classmethod
    def of_result(cls, result: Result) -> TileCounts | None:
        """Return the sums that stand in a result; None if it was answered as a whole, or not at all."""
        sums = result.raw.get("tiles")
        return cls(sums["labels"], sums["review"], sums["skipped"]) if sums else None

    @classmethod
    def of(cls, tiles: ImageTiles) -> TileCounts:
        """Count the tiles of a map."""
        labels: Counter[str] = Counter()
        review: Counter[str] = Counter()
        for row, reasons in zip(tiles.labels, tiles.review):
            for label, reason in zip(row, reasons):
                if reason is not None:
                    review[reason] += 1
                elif label is not None:
                    labels[label] += 1
        skipped = Counter(reason for row in tiles.skipped for reason in row if reason is not None)
        return cls(dict(labels.most_common()), dict(review.most_common()), dict(skipped.most_common()))
