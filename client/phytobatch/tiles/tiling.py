"""The tiling of a job in its short form, as command lines have it: ``auto``, ``256/0.2``, ``80mm``.

The rule of the server, which the client cannot import: `shared/contracts/tiling.py`; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from phytobatch.resources import JsonObject
from phytobatch.tiles.grid import count_tiles

MIN_EDGE, MAX_EDGE = 32, 8192  # pixels
MAX_OVERLAP = 0.5
MIN_EDGE_MM, MAX_EDGE_MM = 0.0032, 100_000.0
MIN_GROUND_RESOLUTION_MM, MAX_GROUND_RESOLUTION_MM = 0.0001, 10_000.0
AUTO = "auto"
SHORT_FORM = re.compile(r"auto|[0-9]{1,5}(/0?\.[0-9]{1,6})?|[0-9]{1,6}(\.[0-9]{1,6})?mm(/0?\.[0-9]{1,6})?")
WORDS = "auto, an edge in pixels as 256, or in millimetres as 80mm; with an overlap as 256/0.2"
ON_COARSE = ("skip", "answer")


@dataclass(frozen=True)
class Tiling:
    """Squares with an edge in pixels, or in millimetres where a pixel's size on the ground is known; or ``auto``."""

    edge: int | None = None
    edge_mm: float | None = None
    overlap: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Tiling:
        """Parse the short form.

        Raises:
            ValueError: it is none; the message is a sentence without its beginning.
        """
        if not SHORT_FORM.fullmatch(text):
            raise ValueError(f"is no tiling: give {WORDS}")
        if text == AUTO:
            return cls()
        edge, _, share = text.partition("/")
        overlap = float(share or 0)
        if overlap > MAX_OVERLAP:
            raise ValueError(f"has an overlap above {MAX_OVERLAP:g}: tiles share at most half of their edge")
        if edge.endswith("mm"):
            return cls(edge_mm=_within(float(edge[:-2]), MIN_EDGE_MM, MAX_EDGE_MM, "millimetres"), overlap=overlap)
        return cls(edge=int(_within(int(edge), MIN_EDGE, MAX_EDGE, "pixels")), overlap=overlap)

    @classmethod
    def from_json(cls, data: object) -> Tiling:
        """Read it as answers carry it."""
        fields = data if isinstance(data, Mapping) else {}
        return cls(fields.get("edge"), fields.get("edge_mm"), fields.get("overlap", 0.0))

    @property
    def is_auto(self) -> bool:
        """True if the classifier says the edge."""
        return self.edge is None and self.edge_mm is None

    def to_json(self) -> str | JsonObject:
        """Return it as requests carry it."""
        if self.is_auto:
            return AUTO
        length: JsonObject = {"edge": self.edge} if self.edge is not None else {"edge_mm": self.edge_mm}
        return {**length, "overlap": self.overlap}

    def __str__(self) -> str:
        if self.is_auto:
            return AUTO
        length = f"{self.edge}" if self.edge is not None else f"{self.edge_mm:f}".rstrip("0").rstrip(".") + "mm"
        return length + (f"/{self.overlap:f}".rstrip("0") if self.overlap else "")

    def in_pixels(self, ground_resolution_mm: float | None) -> Tiling | None:
        """Return the same tiles in pixels of a photograph; None if nothing says how large its pixels are."""
        if self.edge_mm is None:
            return self
        if ground_resolution_mm is None:
            return None
        edge = round(self.edge_mm / ground_resolution_mm)
        return Tiling(edge=min(max(edge, MIN_EDGE), MAX_EDGE), overlap=self.overlap)

    def count(self, width: int, height: int) -> int:
        """Return the number of tiles of a photograph; ``edge`` must be there."""
        if self.edge is None:
            raise ValueError("the edge is not in pixels")
        return count_tiles(width, height, self.edge, self.overlap)


def _within(number: float, low: float, high: float, unit: str) -> float:
    if not low <= number <= high:
        raise ValueError(f"is no edge of a tile: from {low:g} to {high:g} {unit}")
    return number
